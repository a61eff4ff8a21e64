/**
 * Admits shards only while their total fits the model's limit for its queue, oldest first. There is one for estimated tokens and one for
 * requests; the limits are the account's: configured, or learned from a refusal.
 */
export interface Admission {
  /** Resolves once this much fits; rejects with the signal's reason. A shard larger than the limit is admitted when nothing else is in. */
  enter(size: number, signal: AbortSignal): Promise<void>;
  /** For shards whose batch already exists: counted without waiting. */
  enterNow(size: number): void;
  leave(size: number): void;
  /** Resolves when the next shard leaves. */
  nextLeave(): Promise<void>;
  /** Null is unknown: everything fits. */
  limit: number | null;
  readonly used: number;
  readonly waiting: number;
}

export function createAdmission(initialLimit: number | null): Admission {
  const queue: { readonly size: number; readonly admit: () => void }[] = [];
  let limit = initialLimit;
  let used = 0;
  let awaitingLeave: (() => void)[] = [];

  function admitWaiting(): void {
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      if (used > 0 && limit !== null && used + next.size > limit) return;
      queue.shift();
      used += next.size;
      next.admit();
    }
  }

  return {
    enter(size, signal) {
      signal.throwIfAborted();
      return new Promise((resolve, reject) => {
        const entry = { size, admit };
        function abandon() {
          const position = queue.indexOf(entry);
          if (position >= 0) queue.splice(position, 1);
          reject(signal.reason);
          admitWaiting();
        }
        function admit() {
          signal.removeEventListener('abort', abandon);
          resolve();
        }
        signal.addEventListener('abort', abandon, { once: true });
        queue.push(entry);
        admitWaiting();
      });
    },
    enterNow(size) {
      used += size;
    },
    leave(size) {
      used -= size;
      const told = awaitingLeave;
      awaitingLeave = [];
      for (const tell of told) tell();
      admitWaiting();
    },
    nextLeave: () => new Promise((resolve) => awaitingLeave.push(resolve)),
    get limit() {
      return limit;
    },
    set limit(value) {
      limit = value;
      admitWaiting();
    },
    get used() {
      return used;
    },
    get waiting() {
      return queue.length;
    },
  };
}
