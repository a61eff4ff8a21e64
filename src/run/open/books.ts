import { monthOf } from '../../core/day.ts';
import type { FinishedRow } from '../../core/finished-row.ts';
import { type Job, readServiceTier } from '../../core/job.ts';
import { type OutcomeStatus, usesAttempt } from '../../core/outcome.ts';
import { countAnswerCaps } from '../../core/request.ts';
import type { CostOf, SettledRecord } from '../../core/settled.ts';
import type { Summary, WithoutAnswer } from '../../core/summary.ts';
import { growUsage, NO_USAGE, type Usage, type UsageSum } from '../../core/usage.ts';
import { MAX_NAMED } from '../../ledger/events/fold-doubts.ts';
import { type RecordedCall, type ResponseFile, whenAnnounced } from '../../ledger/response-file.ts';
import type { Savings } from '../../output/summary-counter.ts';
import { createUnpricedCalls, type UnpricedCalls } from './unpriced.ts';

/** Sums over attempts. Integer nano-dollars. */
export interface Totals {
  readonly batchAttempts: number;
  readonly liveAttempts: number;
  /** The attempts that ended without an answer and may have been billed. */
  readonly unknownAttempts: number;
  readonly usage: Usage;
  readonly nanoUsd: number;
  /** The part of it for live calls. */
  readonly liveNanoUsd: number;
  /** What the prompt cache saved of it, reads minus writes; negative if writes cost more. */
  readonly cacheSavedNanoUsd: number;
  /** Billed attempts without a known price or usage; they are in no sum. */
  readonly unpricedAttempts: number;
}

/** The totals of all recorded attempts, by run and over the ledger's lifetime: computed at each opening. */
export interface Books {
  /** Adds one record; the ledger calls it for each, once. */
  visit(record: SettledRecord, file: Pick<ResponseFile, 'batchId' | 'createdSeconds'>, call: RecordedCall): void;
  ofRun(run: string): Totals;
  /** Billed attempts of a run whose cost is unknown: what bounds it. */
  unpricedOf(run: string): UnpricedCalls;
  /** What runs announced in a UTC month (`2026-11`); imported answers belong to no run. */
  ofMonth(month: string): MonthTotals;
  /** All runs together: the lifetime without imports. */
  readonly sentNanoUsd: () => number;
  /** Like `unpricedOf`, for each run. */
  readonly unpricedOfRuns: () => readonly UnpricedCalls[];
  /** What the attempts of a run cost that gave no answer that counts; only what was billed. */
  withoutAnswerOf(run: string): WithoutAnswer;
  /** What lines cost that answer a request for which another line of their file counts: part of the run's total. */
  conflictsOf(run: string): Conflicts;
  /** The totals of the lines of one batch. */
  usageOfBatch(batchId: string): Usage;
  /** Lines of one batch without an answer and without a cost. */
  unansweredOfBatch(batchId: string): UnansweredLines;
  /** Whether an attempt was recorded since the last call that may be tried again. */
  readonly takeRetryable: () => boolean;
  /** The wire id of an attempt refused because of rate or credit since the last call; null without one. */
  readonly takeRateLimited: () => string | null;
  /** All runs and generations: must equal the provider's bill. */
  readonly life: Totals;
  /** Cost of one record; null if unknown, 0 if not billed. */
  readonly costOf: CostOf;
}

/** Lines without an answer: of failed calls, and of calls about which they say nothing. */
export interface UnansweredLines {
  readonly failed: number;
  readonly unknown: number;
  /** Of those, as counted by countAnswerCaps. */
  readonly unknownCaps: number;
  /** Custom ids of the first of them. */
  readonly unknownNamed: readonly string[];
}

/** The totals of a month's attempts, and what bounds those of unknown cost. */
export interface MonthTotals {
  readonly nanoUsd: number;
  readonly unpriced: UnpricedCalls;
}

/** The totals of further lines for one request. */
export interface Conflicts {
  readonly nanoUsd: number;
  readonly unpriced: number;
}

const NO_CONFLICTS: Conflicts = { nanoUsd: 0, unpriced: 0 };

const ALL_ANSWERED: UnansweredLines = { failed: 0, unknown: 0, unknownCaps: 0, unknownNamed: [] };

const PERMANENT: ReadonlySet<OutcomeStatus> = new Set(['refused', 'filtered', 'bad_request']);

/** The run of imported answers: none. */
const IMPORTED = '';

export const NO_TOTALS: Totals = {
  batchAttempts: 0,
  liveAttempts: 0,
  unknownAttempts: 0,
  usage: NO_USAGE,
  nanoUsd: 0,
  liveNanoUsd: 0,
  cacheSavedNanoUsd: 0,
  unpricedAttempts: 0,
};

/** Totals that grow with every record. */
type GrowingTotals = { -readonly [Field in keyof Totals]: Totals[Field] } & { readonly usage: UsageSum };

export function createBooks(costOf: CostOf): Books {
  const byRun = new Map<string, GrowingTotals>();
  const usageByBatch = new Map<string, UsageSum>();
  const unansweredByBatch = new Map<string, UnansweredLines>();
  const byMonth = new Map<string, { nanoUsd: number; readonly unpriced: UnpricedCalls }>();
  const unpricedByRun = new Map<string, UnpricedCalls>();
  const conflictsByRun = new Map<string, Conflicts>();
  const withoutAnswerByRun = new Map<string, WithoutAnswer>();
  const life = startTotals();
  /** A copy of it; null if something was added since it was made. */
  let readLife: Totals | null = null;
  let hasRetryable = false;
  let rateLimited: string | null = null;

  const unpricedOf = (run: string) => startOf(unpricedByRun, run, createUnpricedCalls);
  const ofMonth = (month: string) => startOf(byMonth, month, () => ({ nanoUsd: 0, unpriced: createUnpricedCalls() }));

  return {
    visit(record, file, call) {
      const { batchId } = file;
      if (record.usage !== null) growUsage(startOf(usageByBatch, batchId, startUsage), record.usage);
      else unansweredByBatch.set(batchId, addUnanswered(unansweredByBatch.get(batchId) ?? ALL_ANSWERED, record));
      if (record.outcome === 'rate_limited') rateLimited = record.customId;
      if (record.outcome !== 'ok') hasRetryable ||= !PERMANENT.has(record.outcome);
      const cost = costOf(record);
      const cacheSaved = savedByCache(record, cost, costOf);
      const { run } = record;
      addRecord(startOf(byRun, run, startTotals), record, cost, cacheSaved);
      addRecord(life, record, cost, cacheSaved);
      readLife = null;
      const month = run === IMPORTED ? null : ofMonth(monthOf(whenAnnounced(file, call)));
      if (month !== null) month.nanoUsd += cost ?? 0;
      if (cost === null) for (const calls of [unpricedOf(run), month?.unpriced]) calls?.add(record, { batchId, bodyBytes: call.bodyBytes });
      if (record.outcome !== 'ok' && cost !== null && cost > 0) {
        const known = withoutAnswerByRun.get(run) ?? {};
        const { attempts, nanoUsd } = known[record.outcome] ?? { attempts: 0, nanoUsd: 0 };
        withoutAnswerByRun.set(run, { ...known, [record.outcome]: { attempts: attempts + 1, nanoUsd: nanoUsd + cost } });
      }
      if (!call.isRepeat) return;
      const { nanoUsd, unpriced } = conflictsByRun.get(run) ?? NO_CONFLICTS;
      conflictsByRun.set(run, { nanoUsd: nanoUsd + (cost ?? 0), unpriced: unpriced + (cost === null ? 1 : 0) });
    },
    unpricedOf,
    ofMonth,
    sentNanoUsd: () => life.nanoUsd - (byRun.get(IMPORTED) ?? NO_TOTALS).nanoUsd,
    unpricedOfRuns: () => [...unpricedByRun].flatMap(([run, calls]) => (run === IMPORTED ? [] : [calls])),
    withoutAnswerOf: (run) => withoutAnswerByRun.get(run) ?? {},
    conflictsOf: (run) => conflictsByRun.get(run) ?? NO_CONFLICTS,
    takeRetryable() {
      const answer = hasRetryable;
      hasRetryable = false;
      return answer;
    },
    usageOfBatch: (batchId) => ({ ...(usageByBatch.get(batchId) ?? NO_USAGE) }),
    unansweredOfBatch: (batchId) => unansweredByBatch.get(batchId) ?? ALL_ANSWERED,
    takeRateLimited() {
      const answer = rateLimited;
      rateLimited = null;
      return answer;
    },
    ofRun: (run) => copyTotals(byRun.get(run) ?? NO_TOTALS),
    get life() {
      readLife ??= copyTotals(life);
      return readLife;
    },
    costOf,
  };
}

/** A call that is said to have failed may have been made all the same; one that was refused, or never executed, was not. */
function addUnanswered(lines: UnansweredLines, { outcome, customId }: Pick<SettledRecord, 'outcome' | 'customId'>): UnansweredLines {
  if (outcome === 'server_error' || outcome === 'timeout') return { ...lines, failed: lines.failed + 1 };
  if (outcome !== 'unknown') return lines;
  const { unknown, unknownCaps, unknownNamed } = lines;
  return {
    ...lines,
    unknown: unknown + 1,
    unknownCaps: unknownCaps + countAnswerCaps(customId),
    unknownNamed: unknown < MAX_NAMED ? [...unknownNamed, customId] : unknownNamed,
  };
}

function startUsage(): UsageSum {
  return { ...NO_USAGE };
}

function startTotals(): GrowingTotals {
  return { ...NO_TOTALS, usage: startUsage() };
}

function copyTotals(totals: Totals): Totals {
  return { ...totals, usage: { ...totals.usage } };
}

/** The value of a key; a new one if it has none yet. */
function startOf<Value>(values: Map<string, Value>, key: string, start: () => Value): Value {
  const known = values.get(key);
  if (known !== undefined) return known;
  const started = start();
  values.set(key, started);
  return started;
}

function addRecord(totals: GrowingTotals, record: SettledRecord, cost: number | null, cacheSavedNanoUsd: number): void {
  const attempts = usesAttempt(record.outcome) ? 1 : 0;
  if (record.lane === 'batch') totals.batchAttempts += attempts;
  else {
    totals.liveAttempts += attempts;
    totals.liveNanoUsd += cost ?? 0;
  }
  if (record.outcome === 'unknown') totals.unknownAttempts += 1;
  if (record.usage !== null) growUsage(totals.usage, record.usage);
  totals.nanoUsd += cost ?? 0;
  totals.cacheSavedNanoUsd += cacheSavedNanoUsd;
  if (cost === null) totals.unpricedAttempts += 1;
}

/** What the same attempt would have cost without reading from or writing to the prompt cache, minus its real cost. */
function savedByCache(record: SettledRecord, cost: number | null, costOf: CostOf): number {
  const { usage } = record;
  if (cost === null || usage === null || usage.cachedInputTokens + usage.cacheWriteTokens === 0) return 0;
  return (costOf({ ...record, usage: { ...usage, cachedInputTokens: 0, cacheWriteTokens: 0 } }) ?? cost) - cost;
}

/** As shown in a summary; empty if there is none. */
export function showWithoutAnswer(run: string, books: Pick<Books, 'withoutAnswerOf'>): Pick<Summary, 'withoutAnswer'> {
  const withoutAnswer = books.withoutAnswerOf(run);
  return Object.keys(withoutAnswer).length === 0 ? {} : { withoutAnswer };
}

/** The cost of all runs together, as shown in a summary. */
export function describeLife({ life }: Pick<Books, 'life'>): Pick<Summary['ledger'], 'nanoUsd' | 'unpricedAttempts'> {
  const { nanoUsd, unpricedAttempts } = life;
  return { nanoUsd, ...(unpricedAttempts === 0 ? {} : { unpricedAttempts }) };
}

/** What the batch price saved: the same usage at the live price of the day, minus the real cost; and what earlier answers saved, as the job would send them. */
export function savingsOf(
  { disposition, model, usage, answerUsage, costNanoUsd }: FinishedRow,
  { costOf }: Pick<Books, 'costOf'>,
  job: Pick<Job, 'mode' | 'params'>,
): Savings {
  if (disposition.status !== 'ok') return { batchNanoUsd: 0, reuseNanoUsd: 0 };
  if (disposition.source !== 'new') {
    const lane = job.mode === 'live' || job.mode === 'flex' ? 'live' : 'batch';
    const again = costOf({ usage: answerUsage, isBilled: true, model, tier: readServiceTier(job), createdSeconds: null, lane });
    return { batchNanoUsd: 0, reuseNanoUsd: again ?? 0 };
  }
  const asLive = costOf({ usage, isBilled: true, model, tier: 'default', createdSeconds: null, lane: 'live' });
  return { batchNanoUsd: asLive === null || costNanoUsd === null ? 0 : asLive - costNanoUsd, reuseNanoUsd: 0 };
}
