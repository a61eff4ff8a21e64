import type { Request } from './request.ts';

/** What a run asks of a lane: requests go in, answers appear in the ledger. */
export interface Lane {
  /** Takes up what the ledger holds unfinished and nobody looks after. */
  resume(): Promise<void> | void;
  /** Takes one request with its estimated prompt tokens. Waits while enough is on its way. @throws what stopped the lane */
  add(request: Request, tokens: number): Promise<void>;
  /** Sends what was only gathered so far. */
  flush(): Promise<void>;
  /** Lets go of what has not left; its rows stay pending. */
  abandon(): Promise<void>;
  /** Resolves when something has ended since the last call, or nothing is on its way. @throws what stopped the lane */
  nextEnd(): Promise<void>;
  /** Resolves at any change worth showing. */
  nextChange(): Promise<void>;
  /** Whether rows were given back unanswered since the last call: the table has to be gone through again. */
  takeGivenBack(): boolean;
  /** Waits until nothing is on its way, whether well or not; the first fault is kept for `nextEnd`. */
  drain(): Promise<void>;
  /** What is on its way. */
  readonly underWay: readonly { readonly rows: number }[];
  /** What was handed over and is in no announced shard: it counts against a budget by its bytes and answer caps. */
  readonly filling: { readonly rows: number; readonly bytes: number; readonly answerCaps: number };
}

export type LaneName = 'batch' | 'live';
