import { MAX_SHARD_BYTES, MAX_SHARD_REQUESTS } from '../../batch/cut-size.ts';

/** A shard the batch lane would cut. */
export interface PlannedShard {
  readonly requests: number;
  readonly bytes: number;
  /** Estimated prompt tokens. */
  readonly tokens: number;
}

/** `{"custom_id":"…","method":"POST","url":"/v1/chat/completions","body":…}` and a newline around a body. */
const LINE_OVERHEAD_BYTES = 97;

/** The shards of requests to one endpoint and model. */
export interface ShardCount {
  add(bodyBytes: number, tokens: number): void;
  /** @param factor the correction of the tokens, once it is known */
  list(factor: number): readonly PlannedShard[];
}

/** Cuts as the batch lane would, without writing anything. */
export function createShardCount(enqueuedTokens: number | null): ShardCount {
  const maxTokens = enqueuedTokens === null ? Number.POSITIVE_INFINITY : enqueuedTokens / 2;
  const shards: { requests: number; bytes: number; tokens: number }[] = [];
  return {
    add(bodyBytes, tokens) {
      const bytes = bodyBytes + LINE_OVERHEAD_BYTES;
      const last = shards.at(-1);
      if (
        last === undefined ||
        last.requests >= MAX_SHARD_REQUESTS ||
        last.bytes + bytes > MAX_SHARD_BYTES ||
        last.tokens + tokens > maxTokens
      ) {
        shards.push({ requests: 1, bytes, tokens });
        return;
      }
      last.requests += 1;
      last.bytes += bytes;
      last.tokens += tokens;
    },
    list: (factor) => shards.map((shard) => ({ ...shard, tokens: Math.round(shard.tokens * factor) })),
  };
}
