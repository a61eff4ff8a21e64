import type { JobType } from 'bullmq';
import type { CallEnd } from '../queue.ts';
import { findJobId } from '../redis/keys.ts';
import type { EndCollector } from './collect-ends.ts';
import type { RunnerContext } from './context.ts';
import type { JobFeed } from './enqueue.ts';
import type { HeldCall } from './window.ts';

/** Every list of BullMQ that may contain a job. */
export const JOB_LISTS: JobType[] = ['wait', 'active', 'delayed', 'prioritized', 'failed'];

/** A live worker reports what it holds with its next heartbeat. */
const PAUSE_MS = 50;

/** What is known about the workers from before the contact with Redis was lost. */
export interface Roster {
  /** Workers that were alive, and could have been granted calls since. */
  readonly workers: ReadonlySet<string>;
  /** Ids of calls in flight at a worker that was dead by then. */
  readonly orphans: ReadonlySet<string>;
}

/** The state in Redis of the calls without an end. */
export interface RecoveredCalls {
  readonly lost: number;
  readonly unknown: number;
}

/**
 * After Redis may have lost data: every worker that could have made calls reports what it has in flight and repeats what it delivered. Calls
 * that nobody has, and that are in no list, were then never made, and are added again; if a worker stays silent, they may have been
 * billed. No call is granted meanwhile, because no worker is admitted before the recovery is over. Rejects while Redis is unavailable.
 */
export async function recoverLost(
  context: RunnerContext,
  parts: {
    readonly collector: EndCollector;
    readonly feed: JobFeed;
    readonly sessionId: string;
    readonly roster: Roster;
    readonly patienceMs: number;
  },
): Promise<RecoveredCalls> {
  const { collector, roster, sessionId } = parts;
  const isSilent = () => [...roster.workers].some((worker) => collector.accounts.get(worker) !== sessionId);
  for (const untilMs = context.nowMs() + parts.patienceMs; isSilent() && context.nowMs() < untilMs; ) {
    if ((await collector.collect()) === 0) await context.sleep(PAUSE_MS, context.closed);
  }
  const jobIds = new Set(await context.queue.getRanges(JOB_LISTS, 0, -1));
  const marked = new Set(await context.link.redis.hkeys(context.keys.open));
  const isPresent = (callId: string) => marked.has(callId) || jobIds.has(findJobId(context.state, callId));
  // An end is delivered before its job leaves the lists: whatever is in neither by now has no end.
  while ((await collector.collect()) > 0);
  const missing = [...context.window.held.values()].filter((held) => held.isAdded && !isPresent(held.callId));
  const isCertain = !isSilent();
  for (const callId of context.window.strays) if (!isPresent(callId)) context.window.endStray(callId);
  const wasNeverMade = (held: HeldCall) => isCertain && held.call !== null && !roster.orphans.has(held.callId);
  const unknown = missing.filter((held) => !wasNeverMade(held));
  await endAsUnknown(context, unknown);
  for (const held of missing.filter(wasNeverMade)) parts.feed.addAgain(held);
  return { lost: missing.length, unknown: unknown.length };
}

async function endAsUnknown(context: RunnerContext, calls: readonly HeldCall[]): Promise<void> {
  if (calls.length === 0) return;
  const why = 'Redis lost its memory while the call may have been in flight';
  await context.owner.record(calls.map(({ customId, bodyBytes }): CallEnd => ({ status: 'unknown', customId, bodyBytes, why })));
  for (const held of calls) context.window.release(held);
}
