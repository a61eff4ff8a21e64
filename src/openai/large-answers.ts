/**
 * Lets one large answer at a time into memory: several together could exceed the bound that each respects. Until its turn the rest of an
 * answer stays with its server.
 */
export interface LargeAnswers {
  /** @returns a function that ends the turn. @throws the signal's reason if it fires first */
  takeTurn(signal: AbortSignal): Promise<() => void>;
}

export function createLargeAnswers(): LargeAnswers {
  let last: Promise<unknown> = Promise.resolve();
  return {
    async takeTurn(signal) {
      signal.throwIfAborted();
      let end = () => {};
      const before = last;
      last = Promise.all([before, new Promise<void>((resolve) => (end = resolve))]);
      let abort = () => {};
      const aborted = new Promise<never>((_resolve, reject) => {
        abort = () => reject(signal.reason);
        signal.addEventListener('abort', abort, { once: true });
      });
      try {
        await Promise.race([before, aborted]);
      } catch (error) {
        end();
        throw error;
      } finally {
        signal.removeEventListener('abort', abort);
      }
      return end;
    },
  };
}
