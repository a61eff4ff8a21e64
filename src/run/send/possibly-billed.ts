import { monthOf } from '../../core/day.ts';
import type { CostOf } from '../../core/settled.ts';
import type { DoubtfulCalls } from '../../core/summary.ts';
import { NO_USAGE, readUsage, type Usage } from '../../core/usage.ts';
import { formatCount, formatThings } from '../../core/wording/format-count.ts';
import type { BatchState, ShardState, UnknownCalls } from '../../ledger/events/fold.ts';
import { MAX_NAMED, NOTHING_MISSING } from '../../ledger/events/fold-doubts.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { BoundedJob } from '../../money/cost-bound.ts';
import { createSentBound, type Sent } from '../../money/sent-bound.ts';
import type { Books, UnansweredLines } from '../open/books.ts';
import type { PreparedJob } from '../open/prepared-job.ts';

/** What may have been paid for without an answer reaching us. */
export interface PossiblyBilled {
  readonly batchCalls: number;
  /** Attempts whose line says that they failed, of a batch that used more than its lines. */
  readonly failedCalls: number;
  readonly liveCalls: number;
  /** Exact if the provider's own total says so, else an upper bound; what has no known bound is left out. */
  readonly nanoUsd: number;
  /** Its parts, one by one. */
  readonly items: readonly DoubtfulCalls[];
  /** Those of them bounded by the current job, because the terms they were announced with were not recorded. */
  readonly callsByJobOfNow: number;
}

export interface PossiblyBilledOptions {
  readonly ledger: Ledger;
  readonly books: Pick<Books, 'usageOfBatch' | 'unansweredOfBatch' | 'unpricedOf' | 'costOf'>;
  /** Null for all runs. */
  readonly run: string | null;
  readonly prepared: Pick<PreparedJob, 'findPrice'> & { readonly compiled: { readonly job: BoundedJob } };
  /** A day whose prices count; null for the day on which they were announced. */
  readonly priceAsOf: string | null;
  readonly clock: () => Date;
  readonly warn: (message: string) => void;
}

/**
 * Adds up what may have been billed without an answer, for whatever reason: live calls without an end; batches that are gone, or still open as
 * extras; creates that no search found; requests without an answer in their batch's files, unless the batch's own usage shows that nothing more was
 * used. Differences between a batch's usage and its lines are reported.
 */
export async function findPossiblyBilled(options: PossiblyBilledOptions): Promise<PossiblyBilled> {
  const { ledger, run, books } = options;
  const { findPrice, compiled } = options.prepared;
  const sets = [...ledger.fold.retrySets.values()];
  const now = options.clock().toISOString();
  const boundOf = createSentBound({ job: compiled.job, sets, findPrice, priceAsOf: options.priceAsOf, now });
  const batches = findUnansweredOfBatches({ ledger, books, run, model: compiled.job.model });
  for (const difference of batches.differences) options.warn(difference);
  const items: DoubtfulCalls[] = [];
  let callsByJobOfNow = 0;
  for (const [ofRun, unknown] of ledger.fold.unknownCalls) {
    if (run !== null && run !== ofRun) continue;
    const sent = listSent(unknown);
    for (const { terms, amount } of sent) if (terms === null) callsByJobOfNow += amount.rows;
    const nanoUsd = sumKnown(sent.map(boundOf));
    items.push({ why: 'lost_calls', id: null, calls: unknown.calls, nanoUsd, keys: unknown.named });
  }
  const liveCalls = items.reduce((sum, { calls }) => sum + calls, 0);
  for (const found of batches.found) {
    const { why, id, calls, shard, sent } = found;
    if (found.exactNanoUsd === null && sent?.terms === null) callsByJobOfNow += calls;
    const keys = found.keys ?? (shard === null ? [] : (await ledger.readShardIds(shard)).slice(0, MAX_NAMED));
    items.push({ why, id, calls, nanoUsd: priceUnanswered(found, boundOf), keys });
  }
  const nanoUsd = items.reduce((sum, item) => sum + (item.nanoUsd ?? 0), 0);
  return { batchCalls: batches.calls, failedCalls: batches.failedCalls, liveCalls, nanoUsd, items, callsByJobOfNow };
}

/** Live calls that may have been billed without an answer. @param unknown absent where there are none */
export function listSent(unknown: UnknownCalls | undefined): readonly Sent[] {
  return (unknown?.sent ?? []).map(({ at, terms, calls, bodyBytes, longestBytes, answerCaps }) => {
    return { lane: 'live', at, terms, longestBytes, amount: { bytes: bodyBytes, rows: calls, answerCaps } };
  });
}

/** All requests of a shard. */
export function makeSent({ bytes, rows, answerCaps, longestBytes, terms }: ShardSizes, at: string | null): Sent {
  return { lane: 'batch', amount: { bytes, rows, answerCaps }, longestBytes, terms, at };
}

type ShardSizes = Pick<ShardState, 'bytes' | 'rows' | 'answerCaps' | 'longestBytes' | 'terms'>;

type BoundSent = (sent: Sent) => number | null;

/** Null if one of them is unknown. */
function sumKnown(amounts: readonly (number | null)[]): number | null {
  return amounts.includes(null) ? null : amounts.reduce((sum: number, amount) => sum + Number(amount), 0);
}

export interface UnansweredOptions {
  readonly ledger: Pick<Ledger, 'fold'>;
  readonly books: PossiblyBilledOptions['books'];
  readonly run: string | null;
  /** Only what was announced in this UTC month, `2026-11`; absent for all. */
  readonly month?: string;
  readonly model: string;
}

/** What the batches of a run may have billed without lines reaching us. */
export interface UnansweredOfBatches {
  /** Those that are not attempts yet: requests of a lost batch already are. */
  readonly calls: number;
  /** Attempts whose line says that they failed, of a batch that used more than its lines. */
  readonly failedCalls: number;
  readonly found: readonly Unanswered[];
  /** What to report about them, in words. */
  readonly differences: readonly string[];
  /** The total; what has no known bound is left out. */
  nanoUsdOf(boundOf: BoundSent): number;
}

interface Unanswered extends Pick<DoubtfulCalls, 'why' | 'id' | 'calls'> {
  readonly shard: string | null;
  /** What they may have cost by the provider's own total; null if only a bound is known. */
  readonly exactNanoUsd: number | null;
  /** Its bound; null if there is none. */
  readonly sent: Sent | null;
  /** Custom ids of the first of them; null for those of the shard. */
  readonly keys: readonly string[] | null;
  /** How many of them are already counted among the run's attempts. */
  readonly counted: number;
  /** Those of `counted` that are not among its attempts without an answer. */
  readonly failed: number;
}

export function findUnansweredOfBatches({ ledger, books, run, month, model }: UnansweredOptions): UnansweredOfBatches {
  const { fold } = ledger;
  const found: Unanswered[] = [];
  const differences: string[] = [];
  for (const batch of fold.batches.values()) {
    if ((run !== null && batch.run !== run) || !isOf(month, batch.announcedAt)) continue;
    const shard = batch.shard === null ? undefined : fold.shards.get(batch.shard);
    const about = { id: batch.id, shard: batch.shard, exactNanoUsd: null, counted: 0, failed: 0 };
    const missing = { calls: batch.missing, sent: makeMissing(batch, shard), keys: batch.missingNamed };
    const all = shard === undefined ? null : makeSent(shard, batch.announcedAt);
    const isOpen = batch.status !== 'lost' && !batch.isCollected;
    if (isOpen && batch.isExtra) found.push({ ...about, why: 'extra_batch', calls: shard?.rows ?? 0, sent: all, keys: null });
    else if (batch.status === 'lost')
      found.push({ ...about, ...missing, why: 'vanished_batch', counted: batch.isExtra ? 0 : batch.missing });
    else if (!isOpen) {
      const lines = books.unansweredOfBatch(batch.id);
      const unpriced = books.unpricedOf(batch.run).rowsOf(batch.id);
      const whole = readUsage(batch.usage, { hasOutput: false });
      const usage = compareUsage(batch, whole, { usage: books.usageOfBatch(batch.id), unknown: lines.unknown, unpriced });
      if (usage.message !== null) differences.push(usage.message);
      const silent = findSilent(batch, shard, lines);
      if (usage.isOpen && silent.calls > 0) found.push({ ...about, ...silent, why: 'missing_lines' });
      else if (usage.beyond !== null) {
        const exactNanoUsd = priceBeyond(usage.beyond, shard?.model ?? model, books.costOf);
        // It may belong to any of them.
        const counted = lines.failed + lines.unknown;
        const calls = Math.max(1, batch.missing + counted);
        found.push({ ...about, ...missing, why: 'usage_beyond_lines', calls, counted, failed: lines.failed, exactNanoUsd });
      }
    }
  }
  for (const absent of fold.absentCreates.values()) {
    if ((run !== null && absent.run !== run) || !isOf(month, absent.sentAt)) continue;
    const { shard, rows } = absent;
    const about = { id: shard, shard, exactNanoUsd: null, counted: 0, failed: 0, keys: null };
    found.push({ ...about, why: 'create_not_found', calls: rows, sent: makeSent(absent, absent.sentAt) });
  }
  const kept = found.filter(({ calls, why }) => calls > 0 || why === 'extra_batch');
  return {
    calls: kept.reduce((sum, { calls, counted }) => sum + calls - counted, 0),
    failedCalls: kept.reduce((sum, { failed }) => sum + failed, 0),
    found: kept,
    differences,
    nanoUsdOf: (boundOf) => kept.reduce((sum, one) => sum + (priceUnanswered(one, boundOf) ?? 0), 0),
  };
}

function isOf(month: string | undefined, announcedAt: string): boolean {
  return month === undefined || monthOf(announcedAt) === month;
}

function priceUnanswered({ exactNanoUsd, sent }: Unanswered, boundOf: BoundSent): number | null {
  if (exactNanoUsd !== null) return exactNanoUsd;
  return sent === null ? null : boundOf(sent);
}

/** What the files of a batch leave open: requests without a line that may have been executed, and lines that say nothing about their call. */
function findSilent(batch: BatchState, shard: ShardState | undefined, lines: UnansweredLines) {
  const missing = batch.isMissingUnexecuted ? { ...batch, ...NOTHING_MISSING } : batch;
  const sent = missing.missing === 0 ? null : makeMissing(missing, shard);
  const { unknown, unknownCaps, unknownNamed } = lines;
  const keys = [...missing.missingNamed, ...unknownNamed].slice(0, MAX_NAMED);
  return { calls: missing.missing + unknown, counted: unknown, keys, sent: unknown === 0 ? sent : addLines(sent) };

  /** It is unknown which of the shard's requests the lines belong to, so each counts as the longest, but all together as no more than the shard. */
  function addLines(before: Sent | null): Sent | null {
    if (shard === undefined || (before === null && missing.missing > 0)) return null;
    const { bytes, rows, answerCaps } = before?.amount ?? { bytes: 0, rows: 0, answerCaps: 0 };
    const all = Math.min(bytes + unknown * shard.longestBytes, shard.bytes);
    return makeSent({ ...shard, bytes: all, rows: rows + unknown, answerCaps: answerCaps + unknownCaps }, batch.announcedAt);
  }
}

function makeMissing({ missing, missingBytes, missingCaps, announcedAt }: BatchState, shard: ShardState | undefined): Sent | null {
  const bytes = missingBytes ?? shard?.bytes ?? null;
  if (bytes === null) return null;
  const longestBytes = Math.min(bytes, shard?.longestBytes ?? bytes);
  return makeSent({ bytes, rows: missing, answerCaps: missingCaps, longestBytes, terms: shard?.terms ?? null }, announcedAt);
}

function priceBeyond(usage: Usage, model: string, costOf: CostOf): number | null {
  return costOf({ usage, isBilled: true, model, tier: null, createdSeconds: null, lane: 'batch' });
}

interface UsageComparison {
  /** How they differ; null if both agree, or there is nothing to compare. */
  readonly message: string | null;
  /** What the lines lack; null if nothing. */
  readonly beyond: Usage | null;
  /** Whether the batch's usage leaves it open what became of requests without an answer. */
  readonly isOpen: boolean;
}

/** The lines of a batch: what they used together, how many say nothing about their call, and how many tell no cost. */
interface ComparedLines {
  readonly usage: Usage;
  readonly unknown: number;
  readonly unpriced: number;
}

/** Compares the usage reported by a batch with the total of its lines. A batch that reports nothing, or less than its lines, proves nothing. */
function compareUsage(batch: BatchState, whole: Usage | null, lines: ComparedLines): UsageComparison {
  const { id } = batch;
  const silent = lines.unknown + (batch.isMissingUnexecuted ? 0 : batch.missing);
  if (whole === null) {
    const message = `batch ${id}: ${silent} of its requests ${silent === 1 ? 'has' : 'have'} no answer in its files, and it reports no usage: ${silent === 1 ? 'it' : 'they'} may have been billed`;
    return { message: silent === 0 ? null : message, beyond: null, isOpen: true };
  }
  const inputTokens = whole.inputTokens - lines.usage.inputTokens;
  const outputTokens = whole.outputTokens - lines.usage.outputTokens;
  const isOpen = inputTokens < 0 || outputTokens < 0;
  if (inputTokens === 0 && outputTokens === 0) return { message: null, beyond: null, isOpen };
  const say = (tokens: number, word: string) => `${formatCount(Math.abs(tokens))} ${word} tokens ${tokens < 0 ? 'fewer' : 'more'}`;
  const message = `batch ${id}: the provider counts ${say(inputTokens, 'input')} and ${say(outputTokens, 'output')} than its files contain`;
  if (inputTokens <= 0 && outputTokens <= 0) {
    const open = silent === 0 ? '' : `; ${formatThings(silent, 'request')} without an answer may have been billed`;
    return { message: `${message}; the lines are counted${open}`, beyond: null, isOpen };
  }
  // They were answered, and are counted as attempts of unknown cost.
  if (batch.missing + lines.unknown === 0 && lines.unpriced > 0)
    return { message: `${message}; ${lines.unpriced} of its lines tell no cost`, beyond: null, isOpen };
  const beyondInput = Math.max(0, inputTokens);
  const beyond = {
    ...NO_USAGE,
    inputTokens: beyondInput,
    cachedInputTokens: Math.min(beyondInput, Math.max(0, whole.cachedInputTokens - lines.usage.cachedInputTokens)),
    outputTokens: Math.max(0, outputTokens),
  };
  return { message: `${message}; calls without an answer may have been billed`, beyond, isOpen };
}
