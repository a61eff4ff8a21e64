import type { FinishedRow } from '../../core/finished-row.ts';
import { type OutcomeStatus, usesAttempt } from '../../core/outcome.ts';
import type { CostOf, SettledRecord } from '../../core/settled.ts';
import { addUsage, NO_USAGE, type Usage } from '../../core/usage.ts';
import type { ResponseFile } from '../../ledger/response-file.ts';
import type { Savings } from '../../output/summary-counter.ts';

/** Sums over attempts. Integer nano-dollars. */
export interface Totals {
  readonly batchAttempts: number;
  readonly liveAttempts: number;
  /** The part of the attempts that ended without an answer and may have been billed. */
  readonly unknownAttempts: number;
  readonly usage: Usage;
  readonly nanoUsd: number;
  /** The part of it that went to live calls. */
  readonly liveNanoUsd: number;
  /** What the prompt cache has saved of it, reads less writes; negative where writes cost more. */
  readonly cacheSavedNanoUsd: number;
  /** Billed attempts without a known price or usage; they are in no sum. */
  readonly unpricedAttempts: number;
}

/** What every recorded attempt adds up to, by run and over the ledger's life: a view over facts, computed at each opening. */
export interface Books {
  /** Takes in one record; the ledger calls it for each, once. */
  visit(record: SettledRecord, file: Pick<ResponseFile, 'batchId' | 'isExtra' | 'generation'>): void;
  ofRun(run: string): Totals;
  /** What the lines of one batch add up to. */
  usageOfBatch(batchId: string): Usage;
  /** Answers that count in a generation, over all its runs. */
  okRecordsOf(generation: number): number;
  /** Whether an attempt was recorded since the last call that may be tried again. */
  readonly takeRetryable: () => boolean;
  /** The wire id of an attempt refused for lack of rate or money since the last call; null without one. */
  readonly takeRateLimited: () => string | null;
  /** All runs and generations: what the provider's bill must be equal to. */
  readonly life: Totals;
  /** Cost of one record; null when unknown, 0 when not billed. */
  readonly costOf: CostOf;
}

const PERMANENT: ReadonlySet<OutcomeStatus> = new Set(['refused', 'filtered', 'bad_request']);

const NOTHING: Totals = {
  batchAttempts: 0,
  liveAttempts: 0,
  unknownAttempts: 0,
  usage: NO_USAGE,
  nanoUsd: 0,
  liveNanoUsd: 0,
  cacheSavedNanoUsd: 0,
  unpricedAttempts: 0,
};

export function createBooks(costOf: CostOf): Books {
  const byRun = new Map<string, Totals>();
  const usageByBatch = new Map<string, Usage>();
  let life = NOTHING;
  const okByGeneration = new Map<number, number>();
  let hasRetryable = false;
  let rateLimited: string | null = null;
  return {
    visit(record, { batchId, isExtra, generation }) {
      if (record.usage !== null) usageByBatch.set(batchId, addUsage(usageByBatch.get(batchId) ?? NO_USAGE, record.usage));
      if (record.outcome === 'rate_limited') rateLimited = record.customId;
      const isOk = record.outcome === 'ok';
      if (isOk && !isExtra) okByGeneration.set(generation, (okByGeneration.get(generation) ?? 0) + 1);
      if (!isOk) hasRetryable ||= !PERMANENT.has(record.outcome);
      byRun.set(record.run, addRecord(byRun.get(record.run) ?? NOTHING, record, costOf));
      life = addRecord(life, record, costOf);
    },
    okRecordsOf: (generation) => okByGeneration.get(generation) ?? 0,
    takeRetryable() {
      const answer = hasRetryable;
      hasRetryable = false;
      return answer;
    },
    usageOfBatch: (batchId) => usageByBatch.get(batchId) ?? NO_USAGE,
    takeRateLimited() {
      const answer = rateLimited;
      rateLimited = null;
      return answer;
    },
    ofRun: (run) => byRun.get(run) ?? NOTHING,
    get life() {
      return life;
    },
    costOf,
  };
}

function addRecord(totals: Totals, record: SettledRecord, costOf: CostOf): Totals {
  const attempts = usesAttempt(record.outcome) ? 1 : 0;
  const cost = costOf(record);
  return {
    batchAttempts: totals.batchAttempts + (record.lane === 'batch' ? attempts : 0),
    liveAttempts: totals.liveAttempts + (record.lane === 'live' ? attempts : 0),
    unknownAttempts: totals.unknownAttempts + (isUnknown(record.outcome) ? 1 : 0),
    usage: record.usage === null ? totals.usage : addUsage(totals.usage, record.usage),
    nanoUsd: totals.nanoUsd + (cost ?? 0),
    liveNanoUsd: totals.liveNanoUsd + (record.lane === 'live' ? (cost ?? 0) : 0),
    cacheSavedNanoUsd: totals.cacheSavedNanoUsd + savedByCache(record, cost, costOf),
    unpricedAttempts: totals.unpricedAttempts + (cost === null ? 1 : 0),
  };
}

/** What the same attempt would have cost had nothing been read from the prompt cache or written to it, less what it did. */
function savedByCache(record: SettledRecord, cost: number | null, costOf: CostOf): number {
  const { usage } = record;
  if (cost === null || usage === null || usage.cachedInputTokens + usage.cacheWriteTokens === 0) return 0;
  return (costOf({ ...record, usage: { ...usage, cachedInputTokens: 0, cacheWriteTokens: 0 } }) ?? cost) - cost;
}

function isUnknown(outcome: OutcomeStatus): boolean {
  return outcome === 'unknown';
}

/** What the batch price and earlier answers saved: the same usage at the live price of the day, less what it did cost. */
export function savingsOf(
  { disposition, model, usage, answerUsage, costNanoUsd }: FinishedRow,
  { costOf }: Pick<Books, 'costOf'>,
): Savings {
  if (disposition.status !== 'ok') return { batchNanoUsd: 0, reuseNanoUsd: 0 };
  if (disposition.source !== 'new') {
    const again = costOf({ usage: answerUsage, isBilled: true, model, tier: null, createdSeconds: null, lane: 'batch' });
    return { batchNanoUsd: 0, reuseNanoUsd: again ?? 0 };
  }
  const asLive = costOf({ usage, isBilled: true, model, tier: 'default', createdSeconds: null, lane: 'live' });
  return { batchNanoUsd: asLive === null || costNanoUsd === null ? 0 : asLive - costNanoUsd, reuseNanoUsd: 0 };
}
