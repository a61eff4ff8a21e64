import type { ShardState } from '../ledger/events/fold.ts';

/** The API's own limits for one batch (openai-contract section 2, seen 2026-11-21): 50,000 requests, 200 MB; 190 MiB leaves room. */
export const MAX_SHARD_REQUESTS = 50_000;
export const MAX_SHARD_BYTES = 199_229_440;
/** Shards are not cut smaller than this part of the enqueued limit: a queue that is still full then is full of other work. */
const SMALLEST_SHARE = 32;

/** How large the next shard may become. It shrinks when the provider refuses one. */
export interface CutSize {
  readonly maxRequests: number;
  readonly maxBytes: number;
  /** Infinity while no enqueued-token limit is known. */
  readonly maxTokens: number;
  /** Half of the limit: one shard runs while the next is being prepared, and an estimate may be off by a factor of two. */
  fitLimit(limitTokens: number): void;
  /** The same for a limit in requests. */
  fitRequestLimit(limitRequests: number): void;
  /** @returns false if shards of this size are as small as they should become */
  shrinkTokens(shard: ShardState): boolean;
  shrinkBytes(shard: ShardState): void;
  shrinkRequests(shard: ShardState): void;
  /** This many rows passed validation, or were found to be bad: once all suspects are accounted for, shards are cut at full size again. */
  sawCollected(rows: number): void;
}

export function createCutSize(limitTokens: number | null): CutSize {
  /** By the API's own bound, and half of the account's. */
  let mostRequests = MAX_SHARD_REQUESTS;
  let maxRequests = mostRequests;
  /** Rows among which a bad one is searched for. */
  let suspects = 0;
  let maxBytes = MAX_SHARD_BYTES;
  let limit = limitTokens ?? Number.POSITIVE_INFINITY;
  let maxTokens = limit / 2;
  return {
    get maxRequests() {
      return maxRequests;
    },
    get maxBytes() {
      return maxBytes;
    },
    get maxTokens() {
      return maxTokens;
    },
    fitLimit(tokens) {
      if (tokens === limit) return;
      limit = tokens;
      maxTokens = tokens / 2;
    },
    fitRequestLimit(requests) {
      mostRequests = Math.max(1, Math.min(MAX_SHARD_REQUESTS, Math.floor(requests / 2)));
      maxRequests = Math.min(maxRequests, mostRequests);
    },
    shrinkTokens(shard) {
      const halfTokens = Math.min(maxTokens, shard.tokens) / 2;
      if (shard.rows === 1 || halfTokens < limit / SMALLEST_SHARE) return false;
      maxTokens = halfTokens;
      return true;
    },
    shrinkBytes(shard) {
      maxBytes = Math.max(1, Math.floor(Math.min(maxBytes, shard.bytes) / 2));
    },
    shrinkRequests(shard) {
      suspects = Math.max(suspects, shard.rows);
      maxRequests = Math.max(1, Math.ceil(Math.min(maxRequests, shard.rows) / 2));
    },
    sawCollected(rows) {
      suspects = Math.max(0, suspects - rows);
      if (suspects === 0) maxRequests = mostRequests;
    },
  };
}
