import fs from 'node:fs';
import path from 'node:path';
import { onDisk } from '../../core/disk/disk-error.ts';
import { openForReading, openPrivateFile, readBytesAt, syncDirectory, writeFully } from '../disk/durable-files.ts';
import { forEachLine, readLineChunks } from '../disk/read-lines.ts';
import { readEventLine } from './event-line.ts';

/**
 * Whether a broken line is what a power cut left of events that were being written: pages that never reached the disk read as zeros, while later ones may
 * have reached it. That is so if every broken line from there on contains zeros, and no whole one says that the first was on disk before it was
 * written. Events of early versions do not say that: after such a line they are damage.
 * @param from the broken line: its offset, and the number of its event
 */
export async function isUnsyncedHole(
  file: string,
  from: { readonly offsetBytes: number; readonly seq: number },
  signal: AbortSignal,
): Promise<boolean> {
  let isHole = true;
  let isFirst = true;
  for await (const chunk of readLineChunks(file, { startBytes: from.offsetBytes, signal })) {
    forEachLine(chunk.bytes, (start, stop) => {
      // A torn last line results from the power cut in any case.
      if (!isHole || (stop === chunk.bytes.length && !isFirst)) return;
      const line = chunk.bytes.subarray(start, stop);
      const reading = readEventLine(line);
      if (reading.status === 'damaged') isHole = line.includes(0);
      else isHole = !isFirst && (reading.event.synced ?? from.seq) < from.seq;
      isFirst = false;
    });
    if (!isHole) return false;
  }
  return isHole;
}

const COPY_BYTES = 1 << 20;

/** Keeps the rest of a file from a byte on in a separate file, `<file>.cut-<n>`. @returns its path */
export function keepTail(file: string, fromBytes: number): string {
  let number = 1;
  while (fs.existsSync(`${file}.cut-${number}`)) number += 1;
  const kept = `${file}.cut-${number}`;
  const source = openForReading(file);
  const target = openPrivateFile(kept, fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL);
  try {
    for (let copied = 0; ; ) {
      const bytes = readBytesAt(source, { offsetBytes: fromBytes + copied, lengthBytes: COPY_BYTES });
      if (bytes.length === 0) break;
      onDisk(kept, () => writeFully(target, bytes, copied));
      copied += bytes.length;
    }
    onDisk(kept, () => fs.fsyncSync(target));
  } finally {
    fs.closeSync(target);
    fs.closeSync(source);
  }
  syncDirectory(path.dirname(kept));
  return kept;
}
