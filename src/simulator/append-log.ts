import * as fs from 'node:fs';

const READ_CHUNK_BYTES = 1 << 17;

/** An append-only file of JSON lines. A write is visible to other processes, and survives a kill of this one, when `append` returns. */
export interface AppendLog {
  readonly path: string;
  append(lines: readonly string[]): void;
  /** Every whole line, in order, read in chunks so that the file may be larger than memory. */
  lines(): Generator<string>;
  close(): void;
}

/** Opens or creates the file and cuts what a kill during a write left after the last newline. */
export function openAppendLog(path: string): AppendLog {
  const descriptor = fs.openSync(path, 'a+', 0o600);
  cutTornTail(path, descriptor);
  let isOpen = true;
  return {
    path,
    append(lines) {
      if (lines.length === 0) return;
      const bytes = Buffer.from(`${lines.join('\n')}\n`);
      let written = 0;
      while (written < bytes.length) written += fs.writeSync(descriptor, bytes, written);
    },
    lines: () => readLines(path),
    close() {
      if (isOpen) fs.closeSync(descriptor);
      isOpen = false;
    },
  };
}

function* readLines(path: string): Generator<string> {
  const descriptor = fs.openSync(path, 'r');
  try {
    const chunk = Buffer.alloc(READ_CHUNK_BYTES);
    let rest: Buffer = Buffer.alloc(0);
    for (let bytes = fs.readSync(descriptor, chunk); bytes > 0; bytes = fs.readSync(descriptor, chunk)) {
      const seen = Buffer.concat([rest, chunk.subarray(0, bytes)]);
      const end = seen.lastIndexOf(10);
      rest = seen.subarray(end + 1);
      if (end >= 0) yield* seen.toString('utf8', 0, end).split('\n');
    }
  } finally {
    fs.closeSync(descriptor);
  }
}

function cutTornTail(path: string, descriptor: number): void {
  let end = fs.fstatSync(descriptor).size;
  const chunk = Buffer.alloc(64 * 1024);
  while (end > 0) {
    const start = Math.max(0, end - chunk.length);
    const bytes = fs.readSync(descriptor, chunk, 0, end - start, start);
    const newline = chunk.subarray(0, bytes).lastIndexOf(10);
    end = newline >= 0 ? start + newline + 1 : start;
    if (newline >= 0) break;
  }
  fs.truncateSync(path, end);
}
