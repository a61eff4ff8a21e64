import { AppError, EXIT } from '../core/errors.ts';
import type { ApiError } from '../openai/api-error.ts';
import { describeContact } from '../openai/describe-contact.ts';
import { type BatchContext, UNREACHABLE_MS } from './context.ts';

/** Pauses that double from `firstMs` to `maxMs`, each shortened by up to a quarter so that many waiters do not move in step. */
export interface Backoff {
  nextMs(): number;
  reset(): void;
}

export function createBackoff(options: { firstMs: number; maxMs: number; random: () => number }): Backoff {
  let rounds = 0;
  return {
    nextMs() {
      const fullMs = Math.min(options.firstMs * 2 ** rounds, options.maxMs);
      rounds = Math.min(rounds + 1, 30);
      return fullMs * (1 - options.random() / 4);
    },
    reset() {
      rounds = 0;
    },
  };
}

/** The pauses of one step's calls: the provider's if it names one, else growing ones; gives up after ten minutes without contact. */
export interface Patience {
  /** Waits before the next try. @throws AppError exit 7 if the provider has been unreachable for too long */
  waitAfter(failure: ApiError): Promise<void>;
}

/** @param what what is retried, for a person: "the upload of shard 0001" */
export function createPatience(context: BatchContext, what: string): Patience {
  context.waits.end(what);
  const { host } = new URL(context.provider.baseUrl);
  const backoff = createBackoff({ firstMs: 500, maxMs: context.settings.pollMaxMs, random: context.random });
  let outOfReachSince: number | null = null;
  return {
    async waitAfter(failure) {
      const now = context.monotonicMs();
      if (failure.kind === 'wait') outOfReachSince = null;
      else outOfReachSince ??= now;
      if (outOfReachSince !== null && now - outOfReachSince > UNREACHABLE_MS) {
        throw new AppError(`the provider has been unreachable for ten minutes: ${failure.message}; run the same command later`, {
          code: 'unreachable',
          exitCode: EXIT.notFinished,
          cause: failure,
        });
      }
      const milliseconds = failure.retryAfterMs ?? backoff.nextMs();
      const until = failure.kind === 'wait' ? 'until the provider takes it' : 'for ten minutes';
      context.waits.begin({
        name: what,
        milliseconds,
        describe: ({ since }) => `waiting since ${since}: ${failure.message}; ${what} is tried again ${until}`,
        describeNow: ({ passedMs }) => `${describeContact(host, failure, passedMs)} (${what})`,
      });
      await context.sleep(milliseconds, context.stopping);
    },
  };
}

/** Sleeps, unless something happens first. @throws the reason of `stopping` */
export async function sleepUntil(
  context: Pick<BatchContext, 'sleep' | 'stopping'>,
  milliseconds: number,
  event: Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const sleeping = context.sleep(milliseconds, AbortSignal.any([context.stopping, over.signal])).catch(() => undefined);
  await Promise.race([sleeping, event]);
  over.abort();
  context.stopping.throwIfAborted();
}
