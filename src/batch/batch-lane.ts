import type { PriceTerms } from '../core/event.ts';
import type { Request } from '../core/request.ts';
import type { RemoteBatch } from '../openai/wire.ts';
import type { BatchCache } from './cache-carrier.ts';
import type { Phase } from './shard-lifecycle-options.ts';

/** One shard or extra batch under way, as progress and status show it. */
export interface ShardView {
  readonly shard: string | null;
  readonly rows: number;
  readonly phase: Phase;
  /** The latest answer to a poll. */
  readonly batch: RemoteBatch | null;
}

/** Lane 1: requests go in, answers appear in the ledger. */
export interface BatchLane {
  /**
   * Takes up what the ledger holds unfinished and nobody travels with: shards on their way, extra batches, and batches that were given up and are
   * there again.
   */
  resume(): Promise<void>;
  /** Packs one request. Waits while enough shards are on their way. @throws what stopped the lane */
  add(request: Request, tokens: number): Promise<void>;
  /** Sends the shard being filled, however small. */
  flush(): Promise<void>;
  /** Drops the shard being filled; its rows stay pending. */
  abandon(): Promise<void>;
  /** Takes everything back: no more batches, those there are get cancelled, and what they finished is collected. The rest is given back. */
  recall(): void;
  /** Resolves when a shard has ended since the last call, or none is left. @throws what stopped the lane */
  nextEnd(): Promise<void>;
  /** Whether rows were given back unanswered since the last call: the table has to be gone through again. */
  takeGivenBack(): boolean;
  readonly underWay: readonly ShardView[];
  /** Resolves when any shard has entered another phase, been polled, or ended. */
  nextChange(): Promise<void>;
  /** What the shard being filled holds, until it is on its way. */
  readonly filling: { readonly rows: number; readonly bytes: number; readonly answerCaps: number };
  readonly admission: { readonly limitTokens: number | null; readonly usedTokens: number };
  /** Waits until every shard has ended, whether well or not; the first fault is kept for `nextEnd`. Vanished batches are watched no more. */
  drain(): Promise<void>;
}

export interface BatchLaneOptions {
  readonly model: string;
  readonly url: string;
  /** The job's own limit; the account's is learned. */
  readonly enqueuedTokens: number | null;
  /** Whether what is gathered is measured line by line, for a budget; otherwise its bytes are an upper bound. */
  readonly countsBytes?: boolean;
  /** What lines say about the prompt cache; null or absent leaves it to the provider. */
  readonly cache?: BatchCache | null;
  /** What bounds the price of a request, for the event that announces it; absent where nothing is to be kept of it. */
  readonly readTerms?: () => PriceTerms;
  /** Whether rows may wait for the first batch that shows whether batches take that. */
  readonly waitsForEvidence?: boolean;
}
