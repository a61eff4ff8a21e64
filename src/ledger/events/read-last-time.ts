import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** The end of a log: its last lines, unless one announces very many calls. */
const TAIL_BYTES = 1 << 16;
const TIME = /"seq":\d+,"at":"([^"]+)"/g;

/** When the last event was recorded, by the end of the log alone; null if none begins there. */
export function readLastEventTime(file: string): string | null {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(descriptor, tail, 0, tail.length, size - tail.length);
    return [...tail.toString('latin1').matchAll(TIME)].at(-1)?.[1] ?? null;
  } finally {
    closeSync(descriptor);
  }
}
