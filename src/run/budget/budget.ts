import { AppError, EXIT, UsageError } from '../../core/errors.ts';
import type { Job } from '../../core/job.ts';
import type { LaneName } from '../../core/lane.ts';
import { keepModel, listModels, showModels } from '../../core/models/split-by-model.ts';
import { countAnswerCaps, countFrameBytes, type Request } from '../../core/request.ts';
import type { LedgerFold } from '../../ledger/events/fold.ts';
import { type CostBound, makeCostBound } from '../../money/cost-bound.ts';
import { describeUnboundImages } from '../../money/images/unbound-images.ts';
import { modelLimits } from '../../money/model-limits.ts';
import type { FindPrice } from '../../money/price.ts';
import { createSentBound, type Sent } from '../../money/sent-bound.ts';
import { suggestModel } from '../../money/tier-table.ts';
import { formatDollars } from '../../output/format-numbers.ts';
import type { CommandChange } from '../../output/verdict.ts';
import type { UnpricedCalls } from '../open/unpriced.ts';
import type { Commitment } from './reach.ts';
import type { BudgetSpan, OnItsWay, SpanLimits } from './spans.ts';

/** Keeps a run below its limits: what was spent plus what may still be billed, at its upper bound, never exceeds them. */
export interface Budget {
  /**
   * Whether this request has to wait: null if it fits now. Requests in flight usually cost less than their bound, so a later call may
   * return something else.
   */
  findExcess(request: Request): Excess | null;
  /** What is reserved for this request in the current lane: never less than it can cost. */
  reservedFor(request: Request): number;
  /** What the run has spent and what may still be billed for it; 0 if it has no budget of its own. */
  committedNanoUsd(): number;
  /** The same for every budget, and whatever it covers. */
  commitments(): readonly Commitment[];
  /** @throws BudgetError if that is more than the budget: something may be billed that was reserved for something else */
  assertHolds(): void;
}

export interface Excess {
  /** What is used up, in words. */
  readonly why: string;
  /** The limit, as the subject of a sentence. */
  readonly limit: string;
  /** Whether it is the budget of the run, which the next command can raise. */
  readonly isOfRun: boolean;
  /** Whether it limits what live calls for the deadline may cost; absent if not. */
  readonly isOfDeadline?: true;
}

/** Nano-dollars. */
export interface BudgetLimits extends SpanLimits {
  /** For the run's live calls alone (`--max-live-usd`); null without such a limit. */
  readonly live: number | null;
}

export interface BudgetOptions {
  readonly job: Job;
  readonly limits: BudgetLimits;
  readonly findPrice: FindPrice;
  /** The parameters of `retry --set`, over those of the job. */
  readonly sets: readonly Readonly<Record<string, unknown>>[];
  /** Where requests go at first: its price has to be known. */
  readonly firstLane: LaneName;
  /** Where the next request goes. */
  readonly laneNow: () => LaneName;
  /** The limits: all that are set. */
  readonly spans: readonly BudgetSpan[];
  /** Of the run's live calls. */
  readonly live: {
    readonly spentNanoUsd: () => number;
    readonly unpriced: () => UnpricedCalls;
    readonly onItsWay: () => Pick<OnItsWay, 'live' | 'sent'>;
  };
  /** The shards and batches of the ledger. */
  readonly fold: Pick<LedgerFold, 'shards' | 'batches'>;
  /** Changes whenever the amount that batches may have billed without an answer may have changed. */
  readonly version: () => number;
  /** The day whose prices count. */
  readonly at: string;
  /** Where it counts for what was sent before, too; null for the day of each. */
  readonly priceAsOf: string | null;
}

/** The budget is used up, so this invocation of the run ends. */
export class BudgetError extends AppError {
  /** How the next command can send the remaining rows. */
  readonly change: CommandChange;
  /** @param finishNanoUsd a budget with which all remaining rows could be sent; null if the limit is another one */
  constructor({ why, isOfDeadline }: Excess, finishNanoUsd: number | null) {
    const enough = finishNanoUsd === null ? null : roundUp(finishNanoUsd);
    const covers = enough === null ? '' : `; ${formatDollars(enough)} covers what is spent and the most that the rest can cost`;
    super(`${why}${covers}`, { code: 'budget', exitCode: EXIT.stopped });
    this.name = 'BudgetError';
    this.change = { ...(enough === null ? {} : { maxNanoUsd: enough }), ...(isOfDeadline ? { hasDeadline: false } : {}) };
  }
}

/** A budget that is at least this, in two digits: what the prompt cache adds to a line is not known before it is sent. */
export function roundUp(nanoUsd: number): number {
  const unit = 10 ** Math.max(3, Math.floor(Math.log10(Math.max(1, nanoUsd))) - 1);
  return Math.ceil(nanoUsd / unit) * unit;
}

type BoundsOptions = Pick<BudgetOptions, 'job' | 'limits' | 'findPrice' | 'sets' | 'firstLane' | 'at'>;

/** The limits of a run: `--max-usd` stands for the job's own. */
export function readLimits({ budget }: Pick<Job, 'budget'>, { maxNanoUsd = null, deadline = null }: GivenLimits): BudgetLimits {
  return {
    run: maxNanoUsd ?? budget.nanoUsd,
    month: budget.nanoUsdPerMonth,
    total: budget.nanoUsdTotal,
    live: deadline?.maxLiveNanoUsd ?? null,
  };
}

interface GivenLimits {
  readonly maxNanoUsd?: number | null;
  readonly deadline?: { readonly maxLiveNanoUsd: number } | null;
}

/** @throws UsageError if the model's price or longest answer is unknown: a budget does not guess */
export function makeCostBounds(options: BoundsOptions): Readonly<Record<LaneName, CostBound | null>> {
  const { job, limits, firstLane } = options;
  const bounds = { batch: makeCostBound({ ...options, lane: 'batch' }), live: makeCostBound({ ...options, lane: 'live' }) };
  const isLimited = Object.values(limits).some((limit) => limit !== null);
  if (isLimited && (bounds[firstLane] === null || (limits.live !== null && bounds.live === null))) {
    throw new UsageError(
      `budget: no price or no longest answer is known for ${showUnbounded(options)}, so a budget cannot be kept; set them in prices.yaml and ${job.requests === undefined ? 'params.max_output_tokens' : 'the max_output_tokens, or max_completion_tokens, of each line'}, or remove the budget${suggestModel(job.model)}`,
    );
  }
  return bounds;
}

/** The models for which something is missing. */
function showUnbounded(options: BoundsOptions): string {
  const { job, firstLane } = options;
  const isUnbounded = (model: string) => makeCostBound({ ...options, job: keepModel(job, model), lane: firstLane }) === null;
  return listModels(job).filter(isUnbounded).join(', ') || showModels(job);
}

/** @throws UsageError like makeCostBounds */
export function createRunBudget(options: BudgetOptions): Budget {
  const { job, limits, firstLane, laneNow, spans } = options;
  const bounds = makeCostBounds(options);
  // Only a lane that is not used can be without a price.
  const boundIn = (lane: LaneName) => (bounds[lane] ?? bounds[firstLane]) as CostBound;
  const boundSent = createSentBound({ ...options, now: options.at });
  const sumSent = (all: readonly Sent[]) =>
    all.reduce((sum, sent) => sum + (boundSent(sent) ?? boundIn(sent.lane).of(sent.amount, sent.longestBytes)), 0);
  /** What a call of unknown size may have cost: the whole context in, the longest answer out. */
  const largest = {
    bytes: Math.max(...listModels(job).map((model) => modelLimits(model).contextTokens ?? 1_000_000)),
    rows: 1,
    answerCaps: 2 ** (job.retry.attempts - 1),
  };
  let longestBytes = 0;
  const unanswered = new Map<BudgetSpan, { readonly version: string; readonly nanoUsd: number }>();

  /** Computed again only when something has ended: a million rows ask. */
  function readUnanswered(span: BudgetSpan): number {
    const version = `${options.version()} ${span.phase}`;
    const known = unanswered.get(span);
    if (known?.version === version) return known.nanoUsd;
    const nanoUsd = span.unansweredOfBatches(boundSent);
    unanswered.set(span, { version, nanoUsd });
    return nanoUsd;
  }

  function commit(span: BudgetSpan): number {
    const { batch, live, sent } = span.onItsWay();
    let unpriced = 0;
    for (const calls of span.unpriced())
      unpriced += calls.boundLive(boundIn('live'), largest) + calls.boundBatches(boundIn('batch'), largest, options.fold);
    const underWay = boundIn('live').of(live, longestBytes) + boundIn('batch').of(batch, longestBytes) + sumSent(sent);
    return span.spentNanoUsd() + unpriced + readUnanswered(span) + underWay;
  }

  function commitLive(): number {
    const { spentNanoUsd, unpriced, onItsWay } = options.live;
    const { live, sent } = onItsWay();
    return spentNanoUsd() + unpriced().boundLive(boundIn('live'), largest) + boundIn('live').of(live, longestBytes) + sumSent(sent);
  }

  /** @param frameBytes what its line in a batch file adds: no tokens, but a file is bounded by all of its bytes */
  function boundOf(request: Request, frameBytes: number): number {
    const bytes = Buffer.byteLength(request.body);
    // Requests sent by an earlier process are not known individually.
    if (longestBytes === 0) longestBytes = options.live.onItsWay().live.bytes;
    longestBytes = Math.max(longestBytes, bytes);
    const amount = { bytes: bytes + frameBytes, rows: 1, answerCaps: countAnswerCaps(request.customId) };
    return boundIn(laneNow()).of(amount, bytes);
  }

  return {
    reservedFor: (request) => boundOf(request, laneNow() === 'batch' ? countFrameBytes(request) : 0),
    committedNanoUsd: () => spans.reduce((sum, span) => sum + (span.isOfRun ? commit(span) : 0), 0),
    commitments: () =>
      spans.map((span) => {
        const { name, isOfRun, limitNanoUsd } = span;
        return { name, isOfRun, limitNanoUsd, committedNanoUsd: commit(span) };
      }),
    assertHolds() {
      for (const span of spans) {
        const all = commit(span);
        if (all <= span.limitNanoUsd) continue;
        const why = `${span.name} is not enough for what may have been billed already and the same again: ${formatDollars(all)}; the remaining rows stay pending${span.remedy}`;
        throw new BudgetError({ why, limit: span.name, isOfRun: span.isOfRun }, span.isOfRun ? all : null);
      }
    },
    findExcess(request) {
      const unbound = describeUnboundImages(job, request.body);
      if (unbound !== null) return { why: `${unbound}; the remaining rows stay pending`, limit: 'the budget', isOfRun: false };
      const own = boundOf(request, 0);
      for (const span of spans) {
        const committed = commit(span);
        if (committed + own <= span.limitNanoUsd) continue;
        const short =
          committed === 0
            ? 'is too small for the next request, which'
            : `is used up: ${formatDollars(committed)} is spent or may still be billed, and the next request`;
        const why = `${span.name} ${short} can cost ${formatDollars(own)}; the remaining rows stay pending${span.remedy}`;
        return { why, limit: span.name, isOfRun: span.isOfRun };
      }
      if (laneNow() === 'live' && limits.live !== null && commitLive() + own > limits.live)
        return {
          why: `the ${formatDollars(limits.live)} of --max-live-usd are used up; the remaining rows stay pending: allow more, or leave out --deadline to send them in batches`,
          limit: '--max-live-usd',
          isOfRun: false,
          isOfDeadline: true,
        };
      return null;
    },
  };
}
