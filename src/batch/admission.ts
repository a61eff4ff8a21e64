/**
 * Lets shards in only while their estimated tokens fit the model's enqueued-token limit, oldest first.
 * The limit is the account's: configured, or learned from a refusal.
 */
export interface Admission {
  /** Resolves once the tokens fit; rejects with the signal's reason. A shard larger than the limit gets in when nothing else is in. */
  enter(tokens: number, signal: AbortSignal): Promise<void>;
  /** For shards whose batch exists already: counted without waiting. */
  enterNow(tokens: number): void;
  leave(tokens: number): void;
  /** Resolves when the next shard leaves. */
  nextLeave(): Promise<void>;
  /** Null is unknown: everything fits. */
  limitTokens: number | null;
  readonly usedTokens: number;
  readonly waiting: number;
}

export function createAdmission(limitTokens: number | null): Admission {
  const queue: { readonly tokens: number; readonly admit: () => void }[] = [];
  let limit = limitTokens;
  let usedTokens = 0;
  let awaitingLeave: (() => void)[] = [];

  function admitWaiting(): void {
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      if (usedTokens > 0 && limit !== null && usedTokens + next.tokens > limit) return;
      queue.shift();
      usedTokens += next.tokens;
      next.admit();
    }
  }

  return {
    enter(tokens, signal) {
      signal.throwIfAborted();
      return new Promise((resolve, reject) => {
        const entry = { tokens, admit };
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
    enterNow(tokens) {
      usedTokens += tokens;
    },
    leave(tokens) {
      usedTokens -= tokens;
      const told = awaitingLeave;
      awaitingLeave = [];
      for (const tell of told) tell();
      admitWaiting();
    },
    nextLeave: () => new Promise((resolve) => awaitingLeave.push(resolve)),
    get limitTokens() {
      return limit;
    },
    set limitTokens(tokens) {
      limit = tokens;
      admitWaiting();
    },
    get usedTokens() {
      return usedTokens;
    },
    get waiting() {
      return queue.length;
    },
  };
}
