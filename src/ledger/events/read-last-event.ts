import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { onDisk } from '../../core/disk/disk-error.ts';

/** The end of a log: its last lines, unless one announces very many calls. */
const TAIL_BYTES = 1 << 16;
/** Of what a run records; `cancel` and `clean` may come long after it. */
const EVENT_OF_RUN = /"seq":\d+,"at":"([^"]+)","type":"(?!cancel-|files-removed)([^"]+)"/g;

/** The last event that a run recorded, by the end of the log alone; null if none begins there. @throws DiskError if it cannot be read */
export function readLastRunEvent(file: string): { readonly at: string; readonly type: string } | null {
  const tail = onDisk(file, () => readTail(file)).toString('latin1');
  const [, at, type] = [...tail.matchAll(EVENT_OF_RUN)].at(-1) ?? [];
  return at === undefined || type === undefined ? null : { at, type };
}

function readTail(file: string): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(descriptor, tail, 0, tail.length, size - tail.length);
    return tail;
  } finally {
    closeSync(descriptor);
  }
}
