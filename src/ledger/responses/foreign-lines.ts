import { parseCustomId } from '../../core/request.ts';
import { type DecideLine, readResponseLine } from '../../core/response-line.ts';
import type { CostOf } from '../../core/settled.ts';
import { forEachLine, readLineChunks } from '../disk/read-lines.ts';
import type { ResponseFile } from '../response-file.ts';
import { trimLine } from './judge-line.ts';

export interface ForeignLinesOptions {
  readonly path: string;
  readonly file: ResponseFile;
  readonly decide: DecideLine;
  readonly signal: AbortSignal;
}

/** The lines of a file whose custom_id is not ours: what their price needs. */
export async function* readForeignLines({ path, file, decide, signal }: ForeignLinesOptions): AsyncGenerator<Parameters<CostOf>[0]> {
  for await (const chunk of readLineChunks(path, { signal })) {
    const found: Parameters<CostOf>[0][] = [];
    forEachLine(chunk.bytes, (lineStart, lineEnd) => {
      const { start, end } = trimLine(chunk.bytes, lineStart, lineEnd, chunk.offsetBytes + lineStart === 0);
      const reading = start === end ? null : readResponseLine(chunk.bytes.toString('utf8', start, end));
      if (reading?.status !== 'line' || parseCustomId(reading.line.custom_id) !== null) return;
      const outcome = decide(reading.line);
      found.push({ ...outcome, createdSeconds: outcome.createdSeconds ?? file.createdSeconds, lane: file.lane });
    });
    yield* found;
  }
}
