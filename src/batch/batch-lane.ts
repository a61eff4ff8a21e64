import type { PriceTerms } from '../core/event.ts';
import type { Request } from '../core/request.ts';
import type { RemoteBatch } from '../openai/wire.ts';
import type { BatchCache } from './cache-carrier.ts';
import type { Phase } from './shard-lifecycle-options.ts';

/** One shard or extra batch in progress, as shown by progress and status. */
export interface ShardView {
  readonly shard: string | null;
  readonly rows: number;
  readonly phase: Phase;
  /** The latest poll result. */
  readonly batch: RemoteBatch | null;
}

/** The batch lane: requests go in, answers appear in the ledger. */
export interface BatchLane {
  /**
   * Picks up unfinished work in the ledger that nobody is handling: shards in progress, extra batches, and batches that were given up and have
   * reappeared.
   */
  resume(): Promise<void>;
  /** Packs one request. Waits while enough shards are in progress. @throws what stopped the lane */
  add(request: Request, tokens: number): Promise<void>;
  /** Sends the shard being filled, however small. */
  flush(): Promise<void>;
  /** Discards the shard being filled; its rows stay pending. */
  abandon(): Promise<void>;
  /** Recalls everything: no more batches, existing ones are cancelled, and what they finished is collected. The rest is given back. */
  recall(): void;
  /** Resolves when a shard has ended since the last call, or none is left. @throws what stopped the lane */
  nextEnd(): Promise<void>;
  /** Whether rows were given back unanswered since the last call: the table has to be read again. */
  takeGivenBack(): boolean;
  readonly underWay: readonly ShardView[];
  /** Resolves when any shard has entered another phase, been polled, or ended. */
  nextChange(): Promise<void>;
  /** What the shard being filled holds, until it is sent. */
  readonly filling: { readonly rows: number; readonly bytes: number; readonly answerCaps: number };
  readonly admission: { readonly limitTokens: number | null; readonly usedTokens: number };
  /** Waits until every shard has ended, successful or not; the first error is kept for `nextEnd`. Vanished batches are no longer watched. */
  drain(): Promise<void>;
}

export interface BatchLaneOptions {
  readonly model: string;
  readonly url: string;
  /** The job's own limit; the account's is learned. */
  readonly enqueuedTokens: number | null;
  /** Whether requests are measured line by line, for a budget; otherwise their bytes are an upper bound. */
  readonly countsBytes?: boolean;
  /** The prompt cache settings of lines; null or absent leaves the cache to the provider. */
  readonly cache?: BatchCache | null;
  /** Bounds the price of a request, for the event that announces it; absent if none is kept. */
  readonly readTerms?: () => PriceTerms;
  /** Whether rows may wait for the first batch, which shows whether batches accept them. */
  readonly waitsForEvidence?: boolean;
}
