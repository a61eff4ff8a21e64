/** Things that are worth one step together: what comes while a step is under way goes into the next one. */
export interface Gathering<T> {
  /** Resolves when a step that took these in has ended well. */
  add(items: readonly T[]): Promise<void>;
}

export function createGathering<T>(step: (items: readonly T[]) => Promise<void>): Gathering<T> {
  let waiting: { readonly items: readonly T[]; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  let isUnderWay = false;

  async function work(): Promise<void> {
    // One turn of the event loop lets everything that is ready now come along.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      try {
        await step(group.flatMap(({ items }) => items));
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    isUnderWay = false;
  }

  return {
    add(items) {
      return new Promise((resolve, reject) => {
        waiting.push({ items, resolve, reject });
        if (isUnderWay) return;
        isUnderWay = true;
        void work();
      });
    },
  };
}
