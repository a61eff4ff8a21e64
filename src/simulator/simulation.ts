import type { AnswerManner } from './answers/answer-types.ts';
import type { PromptCache } from './answers/prompt-cache.ts';
import type { Bill } from './bill.ts';
import type { SimulatorClock } from './clock.ts';
import type { FaultEngine } from './faults/faults.ts';
import type { SimulatorLimits, SimulatorOptions } from './options.ts';
import type { RateLimiter } from './rate-limits.ts';
import type { Store } from './store.ts';

/** Shared by the endpoints while one simulator runs. */
export interface Simulation {
  readonly seed: number;
  readonly clock: SimulatorClock;
  readonly store: Store;
  readonly bill: Bill;
  readonly faults: FaultEngine;
  readonly rateLimiter: RateLimiter;
  readonly promptCache: PromptCache;
  readonly manner: AnswerManner;
  /** How often a body was sent live before. */
  readonly countAsked: (bodySha256: string) => number;
  readonly cacheOptions: NonNullable<SimulatorOptions['cacheOptions']>;
  readonly limits: SimulatorLimits;
  /** How long a batch takes from creation to its end, if computing it does not take longer. */
  readonly batchMs: number;
  /** How long a live call takes, drawn for each. */
  readonly drawLatencyMs: () => number;
  /** The most prompt tokens a model's queue holds; undefined: no limit. */
  readonly enqueuedTokensOf: (model: string) => number | undefined;
  /** For how long a new batch is missing from the list. */
  readonly listLagMs: number;
  /** The order of the list of batches. */
  readonly listOrder: 'newest_first' | 'oldest_first' | 'mixed';
  /** How an unset field of a batch appears; `empty` applies to the file ids. */
  readonly unsetFields: 'null' | 'empty' | 'omitted';
  /** Speeds up the work on a batch that is being cancelled, or resumes it if a fault had ended it. */
  readonly stopBatch: (batchId: string) => void;
  /** Starts working on a new batch. */
  readonly startBatch: (batchId: string) => void;
  /** Counts how often a finished batch was retrieved, including this time. */
  readonly countLook: (batchId: string) => number;
  /** Aborted when the simulator closes: background work stops before its next write. */
  readonly signal: AbortSignal;
}

/** The current second, as the API gives instants. */
export function nowSeconds(clock: SimulatorClock): number {
  return Math.floor(clock.now() / 1000);
}
