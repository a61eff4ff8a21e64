import type { Request } from './request.ts';

/** What a run needs of a lane: requests go in, answers appear in the ledger. */
export interface Lane {
  /** Picks up unfinished work in the ledger that nobody is handling. */
  resume(): Promise<void> | void;
  /** Takes one request with its estimated prompt tokens. Waits while enough are in flight. @throws what stopped the lane */
  add(request: Request, tokens: number): Promise<void>;
  /** Sends what has only been gathered so far. */
  flush(): Promise<void>;
  /** Gives back what has not been sent; its rows stay pending. */
  abandon(): Promise<void>;
  /** Resolves when something has ended since the last call, or nothing is in flight. @throws what stopped the lane */
  nextEnd(): Promise<void>;
  /** Resolves at any change worth showing. */
  nextChange(): Promise<void>;
  /** Whether rows were given back unanswered since the last call: the table has to be read again. */
  takeGivenBack(): boolean;
  /** Waits until nothing is in flight, successful or not; the first error is kept for `nextEnd`. */
  drain(): Promise<void>;
  /** What is in flight. */
  readonly underWay: readonly { readonly rows: number }[];
  /** What was handed over and is in no announced shard: it counts against a budget by its bytes and answer caps. */
  readonly filling: { readonly rows: number; readonly bytes: number; readonly answerCaps: number };
}

export type LaneName = 'batch' | 'live';
