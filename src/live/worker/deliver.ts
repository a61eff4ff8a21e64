import type { Settlement } from '../redis/calls.ts';
import { type DeliveredEnd, writeEnd } from '../redis/ends.ts';
import { insist } from '../redis/retry.ts';
import type { HandedJob, WorkerContext } from './context.ts';

/** How an attempt stands that has no end yet. */
export type OpenAttempt = Omit<Settlement, 'delivery'>;

/** No attempt was granted. */
export const NO_ATTEMPT: OpenAttempt = { mark: '', tokensDelta: 0 };

/** Ends an attempt and tells the runner. */
export async function deliver(context: WorkerContext, job: HandedJob, attempt: OpenAttempt, end: DeliveredEnd): Promise<void> {
  const text = end.status === 'line' ? end.line : writeEnd(end);
  await settle(context, job, { ...attempt, delivery: { kind: end.status, text } });
}

/** A full or absent Redis refuses the end: it stays in memory, and its slot takes no new job, until it is told. */
export async function settle(context: WorkerContext, job: HandedJob, settlement: Settlement): Promise<void> {
  await insist(() => context.presence.settle(job, settlement), { sleep: context.sleep, signal: context.ending });
}

/** What fires when a job must not leave any more. */
export function interruptionsOf(context: WorkerContext, job: HandedJob): readonly AbortSignal[] {
  return [context.draining, job.signal, context.presence.stopping(job.state)];
}
