import { existsSync } from 'node:fs';
import { ANSWER_FRAME_BYTES, boundAnswerBytes, NOTHING_ALLOWED, readAllowed } from '../../core/bounds/answer-size.ts';
import { forEachLine, readLineChunks } from '../../ledger/disk/read-lines.ts';
import { MAX_LINE_BYTES } from '../../ledger/responses/judge-line.ts';
import type { BatchContext } from '../context.ts';

/** The maximum size of the answers of a batch. */
export interface AnswerBounds {
  /** One answer, with everything around it. */
  readonly lineBytes: number;
  readonly fileBytes: number;
}

/** A shard, or a batch of which only the number of its rows is known. */
export interface Asked {
  readonly shard: string | null;
  readonly rows: number;
}

/** More than a chunk of a download, so that chunks need not be searched for lines. */
const FREE_LINE_BYTES = 256 * 1024;
/** The file of a few rows may have as much as one long line. */
const FREE_ROWS = 4;

/** This much is allowed without measuring the requests. */
export function boundFreely({ rows }: Asked): AnswerBounds {
  return { lineBytes: FREE_LINE_BYTES, fileBytes: ANSWER_FRAME_BYTES * Math.max(rows, FREE_ROWS) };
}

/** Measures a shard's requests. Without its file they count as having no cap. */
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
