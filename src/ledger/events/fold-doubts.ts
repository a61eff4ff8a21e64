import { monthOf } from '../../core/day.ts';
import type { AnnouncedCall, StoredEvent } from '../../core/event.ts';
import { countAnswerCaps } from '../../core/request.ts';
import type { AbsentCreate, AnswerlessAttempts, BatchState, OpenCall, ShardState, UnknownCalls } from './fold.ts';

/** How many request ids are kept for each thing that may have been billed; the events have all of them. */
export const MAX_NAMED = 20;

/** What may have been billed without an answer, as folded from the events. */
export interface MutableDoubts {
  readonly shards: ReadonlyMap<string, ShardState>;
  readonly batches: Map<string, BatchState>;
  readonly absentCreates: Map<string, AbsentCreate>;
  readonly answerlessAttempts: Map<string, AnswerlessAttempts>;
  readonly openCalls: Map<string, OpenCall>;
  readonly queuedCalls: Map<string, OpenCall>;
  readonly unknownCalls: Map<string, UnknownCalls>;
  readonly unknownCallsOfMonths: Map<string, UnknownCalls>;
}

type EventOf<Type extends StoredEvent['type']> = Extract<StoredEvent, { readonly type: Type }>;

/** A create that no search found is remembered: its batch may still appear. */
export function takeAbsent(fold: MutableDoubts, { shard, attempt, looks }: EventOf<'create-absent'>): void {
  const state = fold.shards.get(shard);
  if (state === undefined) return;
  const { run, rows, bytes, answerCaps, createIntentAt } = state;
  fold.absentCreates.set(`${shard}/${attempt}`, { shard, attempt, looks, run, rows, bytes, answerCaps, sentAt: createIntentAt ?? '' });
}

/** An extra batch accounts for the create that made it; if that is unknown, for the oldest create of its shard that no search found. */
export function accountForAbsent(fold: MutableDoubts, { shard, attempt }: Pick<EventOf<'batch-extra'>, 'shard' | 'attempt'>): void {
  const [found] =
    [...fold.absentCreates].find(([, absent]) => absent.shard === shard && absent.attempt === (attempt ?? absent.attempt)) ?? [];
  if (found !== undefined) fold.absentCreates.delete(found);
}

/** Requests without a line, of a batch that has nothing more to deliver. */
export function takeMissing(fold: MutableDoubts, event: EventOf<'batch-collected'>): void {
  const { batchId, status, missing, missingBytes = null, rejected, isMissingUnexecuted = false } = event;
  const batch = fold.batches.get(batchId);
  if (batch === undefined) return;
  const missingCaps = missing.reduce((sum, customId) => sum + countAnswerCaps(customId), 0);
  const about = { missingBytes, missingCaps, isMissingUnexecuted, missingNamed: missing.slice(0, MAX_NAMED) };
  fold.batches.set(batchId, { ...batch, missing: missing.length, ...about });
  if (batch.shard === null || batch.isExtra) return;
  addAnswerless(fold, batch.run, { rejected: rejected.length, unknown: status === 'lost' ? missing.length : 0 });
}

/** What a lost batch was counted as is open again. */
export function takeReturned(fold: MutableDoubts, { batchId }: EventOf<'batch-returned'>): void {
  const batch = fold.batches.get(batchId);
  if (batch === undefined || !batch.isCollected || batch.status !== 'lost') return;
  if (batch.shard !== null && !batch.isExtra) addAnswerless(fold, batch.run, { rejected: 0, unknown: -batch.missing });
  fold.batches.set(batchId, { ...batch, ...NOTHING_MISSING, isCollected: false, hasReturned: true });
}

/** For a batch that is not collected yet. */
export const NOTHING_MISSING = { missing: 0, missingBytes: null, missingCaps: 0, isMissingUnexecuted: false, missingNamed: [] } as const;

/** A live call that may leave from now on. */
export function openCall(calls: Map<string, OpenCall>, { customId, bodyBytes }: AnnouncedCall, announcedAt: string): void {
  calls.set(customId, { calls: (calls.get(customId)?.calls ?? 0) + 1, bodyBytes, announcedAt });
}

/** A live call that has its end. */
export function closeCall(fold: Pick<MutableDoubts, 'openCalls' | 'queuedCalls'>, customId: string): void {
  const calls = fold.openCalls.has(customId) ? fold.openCalls : fold.queuedCalls;
  const open = calls.get(customId);
  if (open === undefined || open.calls === 1) calls.delete(customId);
  else calls.set(customId, { ...open, calls: open.calls - 1 });
}

/** Live calls that ended without an answer: they are no longer open. `at`: when that was recorded, for those nobody announced. */
export function takeUnknownCalls(fold: MutableDoubts, run: string, { calls, at }: EventOf<'call-unknown'>): void {
  addUnknownCalls(fold.unknownCalls, run, calls);
  for (const call of calls) {
    const announced = fold.openCalls.get(call.customId) ?? fold.queuedCalls.get(call.customId);
    addUnknownCalls(fold.unknownCallsOfMonths, monthOf(announced?.announcedAt ?? at), [call]);
    closeCall(fold, call.customId);
  }
}

function addUnknownCalls(to: Map<string, UnknownCalls>, name: string, calls: readonly AnnouncedCall[]): void {
  const known = to.get(name) ?? { calls: 0, bodyBytes: 0, answerCaps: 0, named: [] };
  const bodyBytes = calls.reduce((sum, call) => sum + call.bodyBytes, known.bodyBytes);
  const answerCaps = calls.reduce((sum, call) => sum + countAnswerCaps(call.customId), known.answerCaps);
  const named = [...known.named, ...calls.slice(0, MAX_NAMED - known.named.length).map(({ customId }) => customId)];
  to.set(name, { calls: known.calls + calls.length, bodyBytes, answerCaps, named });
}

function addAnswerless(fold: MutableDoubts, run: string, more: AnswerlessAttempts): void {
  const { rejected, unknown } = fold.answerlessAttempts.get(run) ?? { rejected: 0, unknown: 0 };
  fold.answerlessAttempts.set(run, { rejected: rejected + more.rejected, unknown: unknown + more.unknown });
}
