import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** The end of a log: its last lines, unless one announces very many calls. */
const TAIL_BYTES = 1 << 16;
/** Of what a run records; `cancel` and `clean` may come long after it. */
const TIME_OF_RUN = /"seq":\d+,"at":"([^"]+)","type":"(?!cancel-|files-removed)/g;

/** When a run last recorded an event, by the end of the log alone; null if none begins there. */
export function readLastRunTime(file: string): string | null {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(descriptor, tail, 0, tail.length, size - tail.length);
    return [...tail.toString('latin1').matchAll(TIME_OF_RUN)].at(-1)?.[1] ?? null;
  } finally {
    closeSync(descriptor);
  }
}
