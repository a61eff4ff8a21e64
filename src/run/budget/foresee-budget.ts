import type { Job } from '../../core/job.ts';
import type { LaneName } from '../../core/lane.ts';
import { countAnswerCaps, countFrameBytes, type Request } from '../../core/request.ts';
import type { LedgerFold } from '../../ledger/events/fold.ts';
import { type Amount, makeCostBound } from '../../money/cost-bound.ts';
import type { FindPrice } from '../../money/price.ts';
import type { Books } from '../open/books.ts';
import type { ParamSet } from '../open/opening.ts';
import { listSent } from '../send/possibly-billed.ts';
import { WITH_PROVIDER } from '../send/remaining-work.ts';
import { type BudgetLimits, type BudgetOptions, createRunBudget, roundUp } from './budget.ts';
import type { BudgetReach, Commitment } from './reach.ts';
import { countLiveOnItsWay, makeBudgetSpans, NO_AMOUNT } from './spans.ts';

/** The sizes of what is to be sent, as far as they bound its cost. */
export interface WorkSize {
  /** @returns the bytes of its body */
  add(request: Request): number;
  readonly all: Amount;
  /** Of the request that would be sent first; nothing if there is none. */
  readonly first: Amount;
  readonly longestBytes: number;
  /** What their lines in batch files add to the bodies. */
  readonly frameBytes: number;
}

export function createWorkSize(): WorkSize {
  const all = { bytes: 0, rows: 0, answerCaps: 0 };
  let first: Amount = { ...all };
  let longestBytes = 0;
  let frameBytes = 0;
  return {
    add(request) {
      const bytes = Buffer.byteLength(request.body);
      const answerCaps = countAnswerCaps(request.customId);
      if (all.rows === 0) first = { bytes, rows: 1, answerCaps };
      all.bytes += bytes;
      all.rows += 1;
      all.answerCaps += answerCaps;
      frameBytes += countFrameBytes(request);
      longestBytes = Math.max(longestBytes, bytes);
      return bytes;
    },
    all,
    get first() {
      return first;
    },
    get longestBytes() {
      return longestBytes;
    },
    get frameBytes() {
      return frameBytes;
    },
  };
}

export interface ForeseeOptions {
  readonly job: Job;
  readonly limits: BudgetLimits;
  readonly lane: LaneName;
  readonly size: WorkSize;
  /** What the requests are expected to cost; null if unknown. */
  readonly expectedNanoUsd: number | null;
  /** How many batch files they are at least. */
  readonly files: number;
  /** The parameters of requests that are retried. */
  readonly set: ParamSet;
  /** Of a job without state: as new. */
  readonly fold: LedgerFold;
  readonly books: Books;
  readonly findPrice: FindPrice;
  readonly at: string;
  readonly priceAsOf: string | null;
  readonly clock: () => Date;
}

/** What each budget means for the work of a plan; empty without one, and where costs have no bound: a run would be refused. */
export function foreseeBudgets(options: ForeseeOptions): readonly BudgetReach[] {
  const { job, lane, size, files, expectedNanoUsd, findPrice, at } = options;
  const sets = [...options.fold.retrySets.values(), options.set];
  const bound = makeCostBound({ job, lane, at, findPrice, sets });
  const requests = size.all.rows;
  if (bound === null || expectedNanoUsd === null || requests === 0) return [];
  const bytes = size.all.bytes + (lane === 'batch' ? size.frameBytes : 0);
  const reservedNanoUsd = bound.of({ ...size.all, bytes }, size.longestBytes);
  const nextNanoUsd = bound.of(size.first, size.first.bytes);
  const each = { reservedNanoUsd: reservedNanoUsd / requests, expectedNanoUsd: expectedNanoUsd / requests };
  const underWay = [...options.fold.shards.values()].filter(({ status }) => WITH_PROVIDER.has(status));
  const awaitedNanoUsd = each.expectedNanoUsd * underWay.reduce((sum, { rows }) => sum + rows, 0);
  const settled = readCommitments(options, sets, []);
  return readCommitments(options, sets, underWay).map((commitment, index) => {
    const { limitNanoUsd, committedNanoUsd } = commitment;
    const leftNanoUsd = Math.max(0, Math.floor(limitNanoUsd - (settled[index] ?? commitment).committedNanoUsd - awaitedNanoUsd));
    const fitting = Math.min(requests, Math.max(1, Math.floor(leftNanoUsd / each.reservedNanoUsd)));
    return {
      ...commitment,
      leftNanoUsd,
      requests,
      reservedNanoUsd,
      nextNanoUsd,
      requestsAtATime: nextNanoUsd > leftNanoUsd ? 0 : fitting,
      batches: Math.max(files, countBatches(requests, leftNanoUsd, each)),
      enoughNanoUsd: roundUp(committedNanoUsd + Math.max(reservedNanoUsd, expectedNanoUsd)),
    };
  });
}

/** As the run will find them. What waits in files for its batch is reserved with the rest that is to be sent. @param underWay the shards with the provider */
function readCommitments(
  options: ForeseeOptions,
  sets: BudgetOptions['sets'],
  underWay: readonly { readonly id: string }[],
): readonly Commitment[] {
  const { job, limits, lane, fold, books } = options;
  const run = fold.currentRun?.id ?? '';
  const lanes = { batch: { filling: NO_AMOUNT, underWay: underWay.map(({ id }) => ({ shard: id })) }, live: null };
  return createRunBudget({
    ...options,
    sets,
    firstLane: lane,
    laneNow: () => lane,
    spans: makeBudgetSpans({ limits, run, job, ledger: { fold }, books, lanes, clock: options.clock }),
    live: {
      spentNanoUsd: () => books.ofRun(run).liveNanoUsd,
      unpriced: () => books.unpricedOf(run),
      onItsWay: () => countLiveOnItsWay(null, listSent(fold.unknownCalls.get(run))),
    },
    version: () => fold.seq,
  }).commitments();
}

/** Each batch is as large as what is left allows, and leaves what it was expected to cost less. */
function countBatches(requests: number, leftNanoUsd: number, each: { readonly reservedNanoUsd: number; readonly expectedNanoUsd: number }) {
  let batches = 0;
  let [unsent, left] = [requests, leftNanoUsd];
  while (unsent > 0 && left >= each.reservedNanoUsd) {
    const sent = Math.min(unsent, Math.floor(left / each.reservedNanoUsd));
    batches += 1;
    unsent -= sent;
    left -= sent * each.expectedNanoUsd;
  }
  return batches;
}
