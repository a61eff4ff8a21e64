import type { Checked } from '../core/outcome.ts';
import { isThenable } from './thenable.ts';

/**
 * A program's own functions are called during a run: while paid answers are being recorded, and from timers, where an error they
 * throw would damage the books or end the process.
 */
export interface CallerGuard {
  /** The listener, wrapped so that it never throws and returns no promise. */
  guardListener<Told>(listener: ((told: Told) => unknown) | undefined): (told: Told) => void;
  /** The check, wrapped so that it never throws: an answer it throws for is invalid until a later run judges it again. */
  guardCheck(check: (value: unknown) => Checked): (value: unknown) => Checked;
  /** Waits for running listeners. @throws the first error of a function, or rejection of its promise, unchanged */
  settle(): Promise<void>;
}

/** @param stop called when a function fails for the first time; no listener is called afterwards */
export function createCallerGuard(stop: () => void): CallerGuard {
  const pending = new Set<Promise<void>>();
  let fault: { readonly error: unknown } | null = null;

  function fail(error: unknown): void {
    if (fault !== null) return;
    fault = { error };
    stop();
  }

  async function follow(given: PromiseLike<unknown>): Promise<void> {
    try {
      await given;
    } catch (error) {
      fail(error);
    }
  }

  return {
    guardListener: (listener) => (told) => {
      if (listener === undefined || fault !== null) return;
      try {
        const given = listener(told);
        if (!isThenable(given)) return;
        const following = follow(given).then(() => void pending.delete(following));
        pending.add(following);
      } catch (error) {
        fail(error);
      }
    },
    guardCheck: (check) => (value) => {
      try {
        return check(value);
      } catch (error) {
        fail(error);
        return { ok: false, message: `the check of the answer threw: ${error instanceof Error ? error.message : String(error)}` };
      }
    },
    async settle() {
      await Promise.all(pending);
      if (fault !== null) throw fault.error;
    },
  };
}
