import fs from 'node:fs';
import path from 'node:path';
import type { DecideLine } from '../../core/response-line.ts';
import { listNames, openForReading, openPrivateFile, readBytesAt } from '../disk/durable-files.ts';
import type { LedgerState } from '../ledger-state.ts';
import { isLiveName, makeLivePart, type ResponseFile } from '../response-file.ts';
import { judgeFile } from './judge-file.ts';
import type { SettledIndex } from './settled-index.ts';

export interface LeftoverOptions {
  /** The `responses/` directory. */
  readonly directory: string;
  readonly state: LedgerState;
  readonly settled: SettledIndex;
  readonly decide: DecideLine;
  readonly clock: () => Date;
  readonly signal: AbortSignal;
}

/**
 * Applies the whole lines of live files that no event records yet: left by a crash, or about to be recorded by another process.
 * A torn last line is skipped.
 * @param taken called for every part, with the hash of its bytes
 */
export async function takeLiveLeftovers(
  options: LeftoverOptions,
  taken: (part: ResponseFile, sha256: string) => Promise<void>,
): Promise<void> {
  const { directory, state, settled, decide, signal } = options;
  for (const name of listNames(directory)) {
    if (!isLiveName(name)) continue;
    const file = path.join(directory, name);
    const offsetBytes = state.files
      .filter((part) => part.name === name)
      .reduce((end, part) => Math.max(end, part.offsetBytes + part.bytes), 0);
    const bytes = findWholeBytes(file, offsetBytes) - offsetBytes;
    if (bytes <= 0) continue;
    const createdSeconds = Math.floor(options.clock().getTime() / 1000);
    const recorded = { file: name, offsetBytes, bytes, lines: 0, createdSeconds };
    const judged = await judgeFile({ path: file, file: makeLivePart(state.fold, recorded, 0), decide, signal });
    const part = makeLivePart(state.fold, { ...recorded, lines: judged.lines }, state.files.length + 1);
    state.beginPart(part);
    settled.append(part, judged);
    await taken(part, judged.sha256);
  }
}

/** Cuts a partial line that a crash left at the end of a live file, for all of them. */
export function cutTornLines(directory: string, assertWritable: () => void): void {
  for (const name of listNames(directory)) {
    if (!isLiveName(name)) continue;
    const descriptor = openPrivateFile(path.join(directory, name), fs.constants.O_RDWR);
    try {
      const wholeBytes = findWholeBytes(path.join(directory, name), 0);
      if (wholeBytes === fs.fstatSync(descriptor).size) continue;
      assertWritable();
      fs.ftruncateSync(descriptor, wholeBytes);
      fs.fdatasyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  }
}

const STEP_BYTES = 1 << 16;

/** The end of the last whole line of a file, searched from its end down to an offset. */
function findWholeBytes(file: string, fromBytes: number): number {
  const descriptor = openForReading(file);
  try {
    for (let end = fs.fstatSync(descriptor).size; end > fromBytes; end -= STEP_BYTES) {
      const offsetBytes = Math.max(fromBytes, end - STEP_BYTES);
      const newline = readBytesAt(descriptor, { offsetBytes, lengthBytes: end - offsetBytes }).lastIndexOf(10);
      if (newline >= 0) return offsetBytes + newline + 1;
    }
    return fromBytes;
  } finally {
    fs.closeSync(descriptor);
  }
}
