import { AppError, EXIT } from '../core/errors.ts';
import type { ApiError } from '../openai/api-error.ts';
import type { CallOutcome } from './call.ts';

/** The first calls of a lane all fail in the same way: then the job or the connection to the provider is at fault, not the rows. */
const MAX_SAME_FAILURES = 8;
/** After this long without any contact the run ends with exit 7. */
const UNREACHABLE_MS = 600_000;

/** Stops a lane in which no call can succeed, before row after row fails. */
export interface CallBreaker {
  /** @returns why the lane has to stop, in one sentence; null if it may continue */
  judge(outcome: CallOutcome): AppError | null;
}

export function createCallBreaker(options: { readonly monotonicMs: () => number }): CallBreaker {
  let first: { readonly code: string; failures: number } | null = null;
  let hasPassed = false;
  let outOfReachSinceMs: number | null = null;

  function judgeFirst(failure: ApiError): AppError | null {
    if (hasPassed) return null;
    first ??= { code: failure.code, failures: 0 };
    hasPassed = first.code !== failure.code;
    first.failures += 1;
    if (hasPassed || first.failures < MAX_SAME_FAILURES) return null;
    const advice = failure.kind === 'unknown' ? 'check the base URL and the network' : 'change the job';
    return new AppError(
      `stopped: the first ${first.failures} calls all failed with the same error: ${failure.message}; ${advice}, then run it again`,
      {
        code: 'circuit_breaker',
        exitCode: EXIT.stopped,
        cause: failure,
      },
    );
  }

  function judgeNotSent(failure: ApiError): AppError | null {
    const nowMs = options.monotonicMs();
    outOfReachSinceMs ??= nowMs;
    if (nowMs - outOfReachSinceMs <= UNREACHABLE_MS) return null;
    const message = `the provider has been unreachable for ten minutes: ${failure.message}; run the same command later`;
    return new AppError(message, { code: 'unreachable', exitCode: EXIT.notFinished, cause: failure });
  }

  return {
    judge(outcome) {
      if (outcome.status !== 'not-sent') outOfReachSinceMs = null;
      switch (outcome.status) {
        case 'not-sent':
          return judgeNotSent(outcome.failure);
        case 'stop':
          return outcome.failure;
        case 'unknown':
          return judgeFirst(outcome.failure);
        case 'answered':
          if (outcome.failure?.kind === 'permanent') return judgeFirst(outcome.failure);
          hasPassed = true;
          return null;
        case 'wait':
          return null;
        default:
          return outcome satisfies never;
      }
    },
  };
}
