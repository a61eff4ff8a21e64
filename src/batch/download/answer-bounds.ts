import { existsSync } from 'node:fs';
import { ANSWER_FRAME_BYTES, boundAnswerBytes, NOTHING_ALLOWED, readAllowed } from '../../core/bounds/answer-size.ts';
import { forEachLine, readLineChunks } from '../../ledger/disk/read-lines.ts';
import { MAX_LINE_BYTES } from '../../ledger/responses/judge-line.ts';
import type { BatchContext } from '../context.ts';

/** What the answers of a batch can be at most. */
export interface AnswerBounds {
  /** One answer, with all that is around it. */
  readonly lineBytes: number;
  readonly fileBytes: number;
}

/** A shard, or a batch of which only the number of its rows is known. */
export interface Asked {
  readonly shard: string | null;
  readonly rows: number;
}

/** More than chunks of a download bring, so that lines need not be looked for in them. */
const FREE_LINE_BYTES = 256 * 1024;
/** The file of a few rows may have as much as one long line. */
const FREE_ROWS = 4;

/** So much may come without a look at what was asked. */
export function boundFreely({ rows }: Asked): AnswerBounds {
  return { lineBytes: FREE_LINE_BYTES, fileBytes: ANSWER_FRAME_BYTES * Math.max(rows, FREE_ROWS) };
}

/** Measures a shard's requests. Without its file it is as if they had no cap. */
export async function measureAnswers({ ledger, signal }: BatchContext, { shard, rows }: Asked): Promise<AnswerBounds> {
  const path = shard === null ? null : ledger.shardPath(shard);
  let allowed = NOTHING_ALLOWED;
  let requestBytes = 0;
  if (path !== null && existsSync(path)) {
    for await (const { bytes } of readLineChunks(path, { signal })) {
      allowed = readAllowed(bytes.toString('latin1'), allowed);
      forEachLine(bytes, (start, end) => {
        requestBytes = Math.max(requestBytes, end - start);
      });
    }
  }
  const rowBytes = boundAnswerBytes(allowed, { requests: rows, requestBytes });
  return {
    lineBytes: Math.min(Math.max(rowBytes, FREE_LINE_BYTES), MAX_LINE_BYTES),
    fileBytes: rowBytes * Math.max(rows, FREE_ROWS),
  };
}
