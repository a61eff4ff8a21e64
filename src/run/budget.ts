import type { BatchLane } from '../batch/lane.ts';
import type { Request } from '../core/request.ts';
import type { Ledger } from '../ledger/ledger.ts';

/** Upper bounds for the price of requests, in nano-dollars: every byte a token, every answer as long as allowed. */
export interface CostBound {
  readonly perInputByte: number;
  readonly perAnswer: number;
}

/** Keeps a run below its budget: what was spent plus what is on its way, at its upper bound, never exceeds it. */
export interface Budget {
  /** Whether this request still fits now. What is on its way usually costs less than its bound, so a later call may say yes. */
  fits(request: Request): boolean;
  /** The bound of one request alone exceeds the per-row budget. */
  exceedsRow(request: Request): boolean;
  readonly limitNanoUsd: number;
}

export interface BudgetOptions {
  readonly limitNanoUsd: number;
  readonly perRowNanoUsd: number | null;
  readonly bound: CostBound;
  readonly lane: BatchLane;
  readonly ledger: Ledger;
  readonly spentNanoUsd: () => number;
}

export function createBudget(options: BudgetOptions): Budget {
  const { bound, lane, ledger, limitNanoUsd } = options;
  const boundOf = (bytes: number, rows: number) => bytes * bound.perInputByte + rows * bound.perAnswer;

  function onItsWayNanoUsd(): number {
    let nanoUsd = boundOf(lane.filling.bytes, lane.filling.rows);
    for (const { shard } of lane.trips) {
      const state = shard === null ? undefined : ledger.fold.shards.get(shard);
      if (state !== undefined) nanoUsd += boundOf(state.bytes, state.rows);
    }
    return nanoUsd;
  }

  return {
    limitNanoUsd,
    fits: (request) => options.spentNanoUsd() + onItsWayNanoUsd() + boundOf(Buffer.byteLength(request.body), 1) <= limitNanoUsd,
    exceedsRow: (request) => options.perRowNanoUsd !== null && boundOf(Buffer.byteLength(request.body), 1) > options.perRowNanoUsd,
  };
}
