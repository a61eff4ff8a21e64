import type { BatchLane, ShardView } from '../../batch/batch-lane.ts';
import type { BatchContext } from '../../batch/context.ts';
import type { Job } from '../../core/job.ts';
import type { LaneName } from '../../core/lane.ts';
import { showModels } from '../../core/models/split-by-model.ts';
import type { KeyIndex } from '../../ledger/key-index.ts';
import type { QueueView } from '../../live/queue.ts';
import type { Books, Totals } from '../open/books.ts';
import { choosePrice } from '../plan/choose-lane.ts';
import type { Plan } from '../plan/plan-result.ts';
import type { Deadline } from './deadline.ts';
import type { DuplicateRows } from './duplicate-rows.ts';
import type { Lanes } from './open-lanes.ts';
import type { WatchedProvider } from './watched-provider.ts';

/** The current state of a run, for whoever watches: every property is computed when read. */
export interface RunView {
  readonly job: string;
  readonly run: string;
  readonly model: string;
  /** Where requests go now. */
  readonly lane: LaneName;
  /** Their price: that of the lane, or `flex`. */
  readonly priced: keyof Plan['cost'];
  /** Since work started, by a monotonic clock. */
  readonly elapsedMs: number;
  /** Rows of the run. */
  readonly rows: number;
  /** Distinct requests among them: rows without those that are skipped or duplicates. */
  readonly requests: number;
  /** Those of them with a valid answer, from earlier runs or this one. */
  readonly okRequests: number;
  /** Rows to be answered: those that are not skipped. */
  readonly rowsAsked: number;
  /** Those of them with a valid answer. */
  readonly okRows: number;
  /** Those of them that have failed for good, as of a moment ago; 0 in a run over part of the table. */
  readonly failedRows: number;
  /** Attempts of this run. */
  readonly attempts: number;
  /** Batches in progress. */
  readonly underWay: readonly ShardView[];
  /** Live calls; null in the batch lane. */
  readonly calls: QueueView | null;
  readonly enqueuedTokens: BatchLane['admission'];
  readonly spentNanoUsd: number;
  /** Attempts of this run whose price or usage is unknown: they are in no sum. */
  readonly unpricedAttempts: number;
  readonly budgetNanoUsd: number | null;
  /** The totals of its attempts so far. */
  readonly totals: Totals;
  /** Whether the simulator answers, as far as is known. */
  readonly isSimulated: boolean;
  /** What is waited for, in words: current pauses, else a call without an answer. */
  readonly waits: readonly string[];
  /** What is done with the table if nothing is in flight. */
  readonly phase: 'reading' | 'writing';
  /** When it has to be done; null without a deadline. */
  readonly deadline: Pick<Deadline, 'at' | 'isSwitched' | 'switchAt'> | null;
}

export interface RunViewParts extends Pick<RunView, 'run' | 'budgetNanoUsd'> {
  readonly job: Job;
  readonly plan: Plan;
  readonly books: Books;
  readonly lanes: Lanes;
  readonly countFailed: () => number;
  readonly isSimulated: () => boolean;
  /** Whether sending is over and the table is being written. */
  readonly isWriting: () => boolean;
  readonly context: Pick<BatchContext, 'waits' | 'monotonicMs'> & { readonly provider: WatchedProvider };
  readonly keys: Pick<KeyIndex, 'answered'>;
  readonly duplicates: Pick<DuplicateRows, 'countAnswered'>;
}

export function createRunView(parts: RunViewParts): RunView {
  const { job, run, plan, books, lanes, keys, duplicates, budgetNanoUsd, context } = parts;
  const startedMs = context.monotonicMs();
  const { rows } = plan;
  const answeredBefore = keys.answered;
  const countOk = () => rows.answered + rows.reused + keys.answered - answeredBefore;
  return {
    job: job.name,
    run,
    model: showModels(job),
    get elapsedMs() {
      return context.monotonicMs() - startedMs;
    },
    rows: rows.in,
    requests: rows.in - rows.duplicate - rows.skipped,
    budgetNanoUsd,
    deadline: lanes.deadline,
    get lane() {
      return lanes.name;
    },
    get priced() {
      return choosePrice(job.mode, lanes.name);
    },
    get okRequests() {
      return countOk();
    },
    rowsAsked: rows.in - rows.skipped,
    get okRows() {
      return countOk() + duplicates.countAnswered();
    },
    get failedRows() {
      return parts.countFailed();
    },
    get attempts() {
      const { batchAttempts, liveAttempts } = books.ofRun(run);
      return batchAttempts + liveAttempts;
    },
    get underWay() {
      return lanes.batch.underWay;
    },
    get calls() {
      return lanes.name === 'live' ? (lanes.live?.view ?? null) : null;
    },
    get enqueuedTokens() {
      return lanes.batch.admission;
    },
    get waits() {
      return [...readWaits(context), ...(lanes.name === 'live' ? (lanes.live?.view.waits ?? []) : [])];
    },
    get phase() {
      return parts.isWriting() ? 'writing' : 'reading';
    },
    get spentNanoUsd() {
      return books.ofRun(run).nanoUsd;
    },
    get totals() {
      return books.ofRun(run);
    },
    get isSimulated() {
      return parts.isSimulated();
    },
    get unpricedAttempts() {
      return books.ofRun(run).unpricedAttempts;
    },
  };
}

/** An answer within a second does not count as a wait. */
const SHORT_MS = 1_000;

function readWaits({ waits, monotonicMs, provider }: RunViewParts['context']): readonly string[] {
  const { current } = waits;
  const call = provider.pending;
  if (current.length > 0 || call === null) return current;
  const passedMs = monotonicMs() - call.sinceMs;
  return passedMs < SHORT_MS ? [] : [`waiting for an answer for ${Math.floor(passedMs / 1000)} s: ${call.what}`];
}
