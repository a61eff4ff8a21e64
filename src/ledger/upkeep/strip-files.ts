import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { RemovedPart } from '../../core/event.ts';
import { makeTemporaryPath, openPrivateFile, publishFile, removeQuietly, writeFully } from '../disk/durable-files.ts';
import { forEachLine, readLineChunks } from '../disk/read-lines.ts';
import { makeBilledName } from '../response-file.ts';
import { stripLine } from './strip-line.ts';

/** A recorded response file, or one recorded part of a live one, in the order of recording. */
export interface RecordedPart {
  readonly file: string;
  readonly offsetBytes: number;
  readonly bytes: number;
  readonly lines: number;
}

export interface StripFileOptions {
  /** The `responses/` directory. */
  readonly responses: string;
  readonly randomId: () => string;
  readonly signal: AbortSignal;
}

/**
 * Writes, next to a response file, what is kept of it when its answers are removed. The file itself is left as it is.
 * @param parts all of one file, ascending
 * @returns the location of each part in the new one
 */
export async function stripFile(
  parts: readonly RecordedPart[],
  { responses, randomId, signal }: StripFileOptions,
): Promise<readonly RemovedPart[]> {
  const file = parts[0]?.file ?? '';
  const name = makeBilledName(file);
  const finalPath = path.join(responses, name);
  const temporaryPath = makeTemporaryPath(finalPath, randomId());
  const descriptor = openPrivateFile(temporaryPath, fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL);
  const removed: RemovedPart[] = [];
  let written = 0;
  try {
    for (const part of parts) {
      const digest = createHash('sha256');
      const offsetBytes = written;
      const range = { startBytes: part.offsetBytes, endBytes: part.offsetBytes + part.bytes, signal };
      for await (const chunk of readLineChunks(path.join(responses, file), range)) {
        const stripped: string[] = [];
        forEachLine(chunk.bytes, (start, end) => {
          const text = chunk.bytes.toString('utf8', start, end).trim();
          stripped.push(text === '' ? '\n' : `${stripLine(text)}\n`);
        });
        const bytes = Buffer.from(stripped.join(''));
        digest.update(bytes);
        writeFully(descriptor, bytes, written);
        written += bytes.length;
      }
      const kept = { file: name, offsetBytes, bytes: written - offsetBytes, lines: part.lines, sha256: digest.digest('hex') };
      removed.push({ file, offsetBytes: part.offsetBytes, kept });
    }
    fs.fsyncSync(descriptor);
  } catch (error) {
    removeQuietly(temporaryPath);
    throw error;
  } finally {
    fs.closeSync(descriptor);
  }
  publishFile(temporaryPath, finalPath);
  return removed;
}
