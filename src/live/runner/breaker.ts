import type { AppError } from '../../core/errors.ts';
import { readResponseLine } from '../../core/response-line.ts';
import { ApiError } from '../../openai/api-error.ts';
import { createCallBreaker } from '../breaker.ts';
import type { CallOutcome } from '../call.ts';
import type { CallEnd } from '../queue.ts';
import { GIVEN_UP, WORKER_DIED } from '../redis/ends.ts';

/**
 * The same rule as for the calls of one process, applied to the reports of workers: if the first calls of a run all fail alike, the job is at fault
 * and not its rows. Lines are read only until the first different one.
 * @returns a function that says why the run has to stop, or null
 */
export function createEndBreaker(): (ends: readonly CallEnd[]) => AppError | null {
  const breaker = createCallBreaker({ monotonicMs: () => 0 });
  let isSettled = false;
  return (ends) => {
    for (const end of ends) {
      if (isSettled) return null;
      const outcome = readOutcome(end);
      if (outcome === null) continue;
      isSettled = outcome.status === 'answered' && outcome.failure === null;
      const stop = breaker.judge(outcome);
      if (stop !== null) return stop;
    }
    return null;
  };
}

function readOutcome(end: CallEnd): CallOutcome | null {
  if (end.status === 'unknown') {
    // A killed worker says nothing about the provider.
    if (end.why === WORKER_DIED || end.why === GIVEN_UP) return null;
    return { status: 'unknown', failure: new ApiError(end.why, { kind: 'unknown', code: end.why }) };
  }
  if (end.status !== 'answered') return null;
  const reading = readResponseLine(end.line);
  const response = reading.status === 'line' ? reading.line.response : null;
  const answered = { status: 'answered', line: end.line, usage: null, headers: null } as const;
  const status = response?.status_code ?? 0;
  if (response === null || status < 400) return { ...answered, failure: null };
  const { error } = (response.body ?? {}) as { error?: { code?: string; message?: string } };
  const message = `${status} ${error?.message ?? 'without an explanation'}`;
  const isPassing = status === 408 || status === 409 || status >= 500;
  const failure = new ApiError(message, { kind: isPassing ? 'again' : 'permanent', code: error?.code ?? `http_${status}` });
  return { ...answered, failure };
}
