import { isDeepStrictEqual } from 'node:util';
import { dayOf, monthOf } from '../../core/day.ts';
import type { AnnouncedCall, StoredEvent } from '../../core/event.ts';
import { countAnswerCaps } from '../../core/request.ts';
import type { AbsentCreate, AnswerlessAttempts, BatchState, OpenCall, ShardState, UnknownAmount, UnknownCalls } from './fold.ts';

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
  const { run, rows, bytes, longestBytes, answerCaps, terms, createIntentAt } = state;
  const sizes = { rows, bytes, longestBytes, answerCaps, terms };
  fold.absentCreates.set(`${shard}/${attempt}`, { shard, attempt, looks, run, ...sizes, sentAt: createIntentAt ?? '' });
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

/** Live calls that may leave from now on. */
export function openCalls(open: Map<string, OpenCall>, { calls, at, terms }: EventOf<'call-intent' | 'call-queued'>): void {
  for (const { customId, bodyBytes } of calls)
    open.set(customId, { calls: (open.get(customId)?.calls ?? 0) + 1, bodyBytes, announcedAt: at, terms: terms ?? null });
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
  for (const call of calls) {
    const announced = fold.openCalls.get(call.customId) ?? fold.queuedCalls.get(call.customId);
    const sent = { at: announced?.announcedAt ?? at, terms: announced?.terms ?? null };
    addUnknownCall(fold.unknownCalls, run, call, sent);
    addUnknownCall(fold.unknownCallsOfMonths, monthOf(sent.at), call, sent);
    closeCall(fold, call.customId);
  }
}

function addUnknownCall(
  to: Map<string, UnknownCalls>,
  name: string,
  { customId, bodyBytes }: AnnouncedCall,
  { at, terms }: Pick<UnknownAmount, 'at' | 'terms'>,
): void {
  const { calls, named, sent } = to.get(name) ?? { calls: 0, named: [], sent: [] };
  const isSame = (amount: UnknownAmount) => dayOf(amount.at) === dayOf(at) && isDeepStrictEqual(amount.terms, terms);
  const known = sent.find(isSame) ?? { at, terms, calls: 0, bodyBytes: 0, longestBytes: 0, answerCaps: 0 };
  const more = {
    ...known,
    calls: known.calls + 1,
    bodyBytes: known.bodyBytes + bodyBytes,
    longestBytes: Math.max(known.longestBytes, bodyBytes),
    answerCaps: known.answerCaps + countAnswerCaps(customId),
  };
  to.set(name, {
    calls: calls + 1,
    named: named.length < MAX_NAMED ? [...named, customId] : named,
    sent: [...sent.filter((amount) => amount !== known), more],
  });
}

function addAnswerless(fold: MutableDoubts, run: string, more: AnswerlessAttempts): void {
  const { rejected, unknown } = fold.answerlessAttempts.get(run) ?? { rejected: 0, unknown: 0 };
  fold.answerlessAttempts.set(run, { rejected: rejected + more.rejected, unknown: unknown + more.unknown });
}
