import type { AttemptEnd } from '../redis/calls.ts';
import { type DeliveredEnd, writeEnd } from '../redis/ends.ts';
import { type RetryOptions, retryUntilAnswered } from '../redis/retry.ts';
import type { HandedCall, WorkerContext } from './context.ts';

/** The state of an attempt without an end. */
export type OpenAttempt = Omit<AttemptEnd, 'delivery'>;

/** No attempt was granted. */
export const NO_ATTEMPT: OpenAttempt = { mark: '', tokensDelta: 0 };

/** Ends an attempt and tells the runner. */
export async function deliver(context: WorkerContext, call: HandedCall, attempt: OpenAttempt, end: DeliveredEnd): Promise<void> {
  const text = end.status === 'line' ? end.line : writeEnd(end);
  await endAttempt(context, call, { ...attempt, delivery: { kind: end.status, text } });
}

/** A full or absent Redis refuses the end: it stays in memory, and its slot takes no new job, until it is delivered. */
export async function endAttempt(context: WorkerContext, call: HandedCall, attemptEnd: AttemptEnd): Promise<void> {
  await retryUntilAnswered(() => context.presence.endAttempt(call, attemptEnd), retryOptionsOf(context));
}

/** How a job waits for Redis: until this process must end. */
export function retryOptionsOf(context: WorkerContext): RetryOptions {
  return { sleep: context.sleep, signal: context.ending, onFailure: context.onRedisFailure };
}

/** What fires when a job must not leave any more. */
export function interruptionsOf(context: WorkerContext, call: HandedCall): readonly AbortSignal[] {
  return [context.draining, call.signal, context.presence.stopping(call.state)];
}
