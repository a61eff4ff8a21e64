import { existsSync } from 'node:fs';
import { readLineChunks } from '../../ledger/disk/read-lines.ts';
import { MAX_LINE_BYTES } from '../../ledger/responses/judge-line.ts';
import type { BatchContext } from '../context.ts';

/** What the answers of a batch can be at most. */
export interface AnswerBounds {
  /** One answer, whatever is around it. */
  readonly lineBytes: number;
  readonly fileBytes: number;
}

/** A shard, or a batch of which only the number of its rows is known. */
export interface Asked {
  readonly shard: string | null;
  readonly rows: number;
}

/** Envelope, usage, safety verdicts and what gateways add of their own. */
const FREE_ROW_BYTES = 64 * 1024;
/** More than chunks of a download bring, so that lines need not be looked for in them. */
const FREE_LINE_BYTES = 256 * 1024;
/** A token is four bytes of English, up to a hundred of blanks; written as `\\uXXXX` each of its bytes is three. */
const BYTES_PER_TOKEN = 128;
/** With their probabilities, and those of twenty others in its place. */
const BYTES_PER_PROBABLE_TOKEN = 4_096;
/** More than any model writes (models of 2026-11), for requests without a cap. */
const UNCAPPED_TOKENS = 128_000;

/** So much may come without a look at what was asked. */
export function boundFreely({ rows }: Asked): AnswerBounds {
  return { lineBytes: FREE_LINE_BYTES, fileBytes: FREE_ROW_BYTES * Math.max(rows, 4) };
}

/** Measures a shard's requests: what their caps allow, and what is sent back of them. Without its file it is as if they had no cap. */
export async function measureAnswers({ ledger, signal }: BatchContext, { shard, rows }: Asked): Promise<AnswerBounds> {
  const path = shard === null ? null : ledger.shardPath(shard);
  let [capTokens, choices, capped, longestBytes, hasProbabilities] = [0, 1, 0, 0, false];
  if (path !== null && existsSync(path)) {
    for await (const { bytes } of readLineChunks(path, { signal })) {
      // Within the text of a row the quotes are escaped, so that no row can be taken for a cap.
      const text = bytes.toString('latin1');
      for (const line of text.split('\n')) longestBytes = Math.max(longestBytes, line.length);
      for (const [, tokens] of text.matchAll(/"max_(?:completion_|output_)?tokens":(\d{1,9})\b/g)) {
        capped += 1;
        capTokens = Math.max(capTokens, Number(tokens));
      }
      for (const [, count] of text.matchAll(/"n":(\d{1,3})\b/g)) choices = Math.max(choices, Number(count));
      hasProbabilities ||= /"(top_)?logprobs":(true|[1-9])/.test(text);
    }
  }
  const tokens = (capped < rows ? Math.max(capTokens, UNCAPPED_TOKENS) : capTokens) * choices;
  const rowBytes = FREE_ROW_BYTES + 2 * longestBytes + tokens * (hasProbabilities ? BYTES_PER_PROBABLE_TOKEN : BYTES_PER_TOKEN);
  return { lineBytes: Math.min(Math.max(rowBytes, FREE_LINE_BYTES), MAX_LINE_BYTES), fileBytes: rowBytes * Math.max(rows, 4) };
}
