/** The time between two groups that are synced: a call waits a few milliseconds at most, and a thousand calls a second share two hundred syncs. */
const SPACING_MS = 5;

/** Lets things that arrive close together share one step, for example one sync of the disk. */
export interface Gathering {
  /**
   * Resolves when the next group is due: after one turn of the event loop, so that everything ready now is included; and if the
   * last group had several members, so that more are likely, not sooner than a few milliseconds after it.
   */
  gather(): Promise<void>;
  /** The size of the group. */
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
