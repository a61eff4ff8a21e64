import fs from 'node:fs';
import path from 'node:path';
import type { StoredEvent } from '../../core/event.ts';
import { openForReading } from '../disk/durable-files.ts';
import { readEventLine } from './event-line.ts';

/** The first event of every state directory. */
export type Creation = Extract<StoredEvent, { readonly type: 'state-created' }>;

const FIRST_LINE_BYTES = 4096;

/** How a directory was created as a state directory; null if it is none: its log is missing, cannot be read, or begins with anything else. */
export function readCreation(directory: string): Creation | null {
  try {
    const reading = readEventLine(readFirstLine(path.join(directory, 'events.jsonl')));
    return reading.status === 'event' && reading.event.type === 'state-created' ? reading.event : null;
  } catch {
    return null;
  }
}

function readFirstLine(file: string): Buffer {
  const descriptor = openForReading(file);
  try {
    const memory = Buffer.alloc(FIRST_LINE_BYTES);
    const read = memory.subarray(0, fs.readSync(descriptor, memory));
    return read.subarray(0, Math.max(0, read.indexOf(10)));
  } finally {
    fs.closeSync(descriptor);
  }
}
