import type { BatchLane, TripView } from '../batch/lane.ts';
import type { QueueView } from '../live/queue.ts';
import type { Books } from './books.ts';
import type { Lanes } from './lanes.ts';

/** A run as it stands at this moment, for whoever watches: every property is read anew. */
export interface RunView {
  readonly job: string;
  readonly run: string;
  readonly model: string;
  readonly lane: 'batch' | 'live';
  readonly startedAt: Date;
  /** Rows the run is about. */
  readonly rows: number;
  /** Distinct requests answered well, in earlier runs or this one. */
  readonly okRequests: number;
  /** Attempts of this run. */
  readonly attempts: number;
  /** Batches under way. */
  readonly trips: readonly TripView[];
  /** Live calls; null in the batch lane. */
  readonly calls: QueueView | null;
  readonly enqueuedTokens: BatchLane['admission'];
  readonly spentNanoUsd: number;
  readonly budgetNanoUsd: number | null;
}

export interface RunViewParts extends Pick<RunView, 'job' | 'run' | 'model' | 'lane' | 'startedAt' | 'rows' | 'budgetNanoUsd'> {
  readonly books: Books;
  readonly lanes: Lanes;
}

export function createRunView(parts: RunViewParts): RunView {
  const { books, lanes, ...fixed } = parts;
  return {
    ...fixed,
    get okRequests() {
      return books.okRecords;
    },
    get attempts() {
      const { batchAttempts, liveAttempts } = books.ofRun(fixed.run);
      return batchAttempts + liveAttempts;
    },
    get trips() {
      return lanes.batch.trips;
    },
    get calls() {
      return lanes.live?.view ?? null;
    },
    get enqueuedTokens() {
      return lanes.batch.admission;
    },
    get spentNanoUsd() {
      return books.ofRun(fixed.run).nanoUsd;
    },
  };
}
