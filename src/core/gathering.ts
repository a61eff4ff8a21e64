/** Between two groups that are brought to the disk: a call waits a few milliseconds at most, and a thousand calls a second share two hundred syncs. */
const SPACING_MS = 5;

/** Lets what comes close together share one step, for example one sync of the disk. */
export interface Gathering {
  /**
   * Resolves when the next group is to be taken: after one turn of the event loop, so that everything that is ready now comes along; and where the
   * last group was of several, so that more are on their way, not sooner than some milliseconds after it.
   */
  gather(): Promise<void>;
  /** So many were taken. */
  taken(items: number): void;
}

export function createGathering(): Gathering {
  let notBeforeMs = 0;
  return {
    async gather() {
      const waitMs = notBeforeMs - performance.now();
      await new Promise<void>((resolve) => {
        if (waitMs > 0) setTimeout(resolve, waitMs);
        else setImmediate(resolve);
      });
    },
    taken(items) {
      notBeforeMs = items > 1 ? performance.now() + SPACING_MS : 0;
    },
  };
}
