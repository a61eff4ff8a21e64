import fs from 'node:fs';
import path from 'node:path';
import { asDiskError, onDisk } from '../../core/disk/disk-error.ts';
import { LedgerError } from '../../core/errors.ts';
import type { Event, StoredEvent } from '../../core/event.ts';
import { NewerFormatError, refuseNewer } from '../../core/formats.ts';
import { isFileAt, openForReading, openPrivateFile, readBytesAt, writeFully } from '../disk/durable-files.ts';
import { forEachLine, readLineChunks } from '../disk/read-lines.ts';
import { type DiskReserve, isOutOfRoom } from '../disk/reserve.ts';
import { makeEventLine, readEventLine } from './event-line.ts';
import { isUnsyncedHole, keepTail } from './unsynced-hole.ts';

/** No more than this many events share one sync, so that the first of them does not wait for the last. */
const GROUP_EVENTS = 64;

/** An event with the location of its line in `events.jsonl`. */
export interface PlacedEvent {
  readonly event: StoredEvent;
  readonly offsetBytes: number;
  /** Without the newline. */
  readonly lengthBytes: number;
}

/** Where a reading of the log ended: the next event continues there. */
export interface LogEnd {
  readonly seq: number;
  /** The bytes of whole lines; what follows them is a torn tail. */
  readonly bytes: number;
  /** Whether the rest consists of events that were never announced, broken by a power cut: they are kept in a separate file when they are cut. */
  readonly isHoled?: boolean;
}

/**
 * Reads the event log from its beginning and passes on every event in order. Bytes after the last newline are what a crash left of an
 * event that was never announced: they are skipped.
 * @throws NewerFormatError if a newer version continued the log; LedgerError with file and line if a line is damaged or missing
 */
export async function readEvents(file: string, visit: (placed: PlacedEvent) => Promise<void> | void, signal: AbortSignal): Promise<LogEnd> {
  let end: LogEnd = { seq: 0, bytes: 0 };
  for await (const chunk of readLineChunks(file, { signal })) {
    const placed: PlacedEvent[] = [];
    // Reported after the lines before it were processed: they may show that a newer version wrote what follows.
    const damage: unknown[] = [];
    let damagedAtBytes = 0;
    forEachLine(chunk.bytes, (start, stop) => {
      if (stop === chunk.bytes.length || damage.length > 0) return;
      const seq = end.seq + 1;
      try {
        const event = readLine(file, chunk.bytes.subarray(start, stop), seq);
        placed.push({ event, offsetBytes: chunk.offsetBytes + start, lengthBytes: stop - start });
      } catch (error) {
        damage.push(error);
        damagedAtBytes = chunk.offsetBytes + start;
      }
      end = { seq, bytes: chunk.offsetBytes + stop + 1 };
    });
    for (const one of placed) {
      checkFormat(one.event, file);
      await visit(one);
    }
    if (damage.length > 0) {
      // Counting continued over the broken line, and the rest of this chunk was left alone.
      const before = { seq: end.seq - 1, bytes: damagedAtBytes };
      if (await isUnsyncedHole(file, { offsetBytes: damagedAtBytes, seq: end.seq }, signal)) return { ...before, isHoled: true };
      throw damage[0];
    }
  }
  return end;
}

function checkFormat(event: StoredEvent, file: string): void {
  if (event.type !== 'state-created' && event.type !== 'format-raised') return;
  const refusal = refuseNewer('state', `the state directory ${path.dirname(file)} was written`, { version: undefined, ...event });
  if (refusal !== null) throw new NewerFormatError(refusal);
}

/** Every line holds the event with its own number: `seq` counts lines from 1. */
function readLine(file: string, line: Buffer, seq: number): StoredEvent {
  const reading = readEventLine(line);
  if (reading.status === 'damaged') {
    const advice = reading.isNewer ? '' : '; restore the file from a backup, or cut it before this line';
    throw new LedgerError(reading.message + advice, { file, line: seq });
  }
  if (reading.event.seq !== seq) {
    const message = `event ${reading.event.seq} is in the place of event ${seq}; restore the file from a backup`;
    throw new LedgerError(message, { file, line: seq });
  }
  return reading.event;
}

/** Reads one event again. @throws LedgerError if the line has changed since */
export function readEventAt(file: string, place: Pick<PlacedEvent, 'offsetBytes' | 'lengthBytes'>): StoredEvent {
  const descriptor = openForReading(file);
  try {
    const reading = readEventLine(readBytesAt(descriptor, place));
    if (reading.status === 'event') return reading.event;
    throw new LedgerError(`the event at byte ${place.offsetBytes} has changed: ${reading.message}`, { file, line: 0 });
  } finally {
    fs.closeSync(descriptor);
  }
}

/** The event log opened for appending. */
export interface EventLog {
  /**
   * Announces an event: resolves once it is synced to disk and `onDurable` was called. Events announced together share a sync.
   * @throws DiskError if a write or sync failed, for this event and every later one: after that only a new reading of the disk can be trusted
   */
  append(event: Event): Promise<void>;
  /** Waits for everything announced, then closes the file. */
  close(): Promise<void>;
}

export interface EventLogOptions {
  readonly file: string;
  readonly end: LogEnd;
  readonly clock: () => Date;
  /** Space that is released if the disk has none left for events. */
  readonly reserve?: DiskReserve;
  /** Called before every group is written, and again when it is on disk; throws if this process may no longer write. */
  readonly assertWritable: () => void;
  /** For a person. */
  readonly tell: (message: string) => void;
  /** Called for every event in order, right after its sync. */
  readonly onDurable: (placed: PlacedEvent) => void;
}

interface Waiting {
  readonly event: StoredEvent;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Opens the log for appending after `end`, cutting a torn tail. */
export function openEventLog(options: EventLogOptions): EventLog {
  const { descriptor, hasStableInode } = openAtEnd(options);
  let { seq, bytes } = options.end;
  let syncedSeq = seq;
  let waiting: Waiting[] = [];
  let flushing: Promise<void> | null = null;
  let failure: unknown = null;

  async function flush(): Promise<void> {
    // One turn of the event loop lets everything that is ready share the sync; while a sync runs, the next group gathers.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const group = waiting.splice(0, GROUP_EVENTS);
      try {
        await writeGroup(group);
      } catch (error) {
        failure ??= asDiskError(error, options.file);
        for (const one of [...group, ...waiting]) one.reject(failure);
        waiting = [];
      }
    }
    flushing = null;
  }

  async function writeGroup(group: readonly Waiting[]): Promise<void> {
    options.assertWritable();
    const lines = group.map(({ event }) => Buffer.from(makeEventLine({ ...event, synced: syncedSeq })));
    await writeDurably(Buffer.concat(lines));
    // Spending waits for this: it must not happen if the log that others read is another file by now.
    options.assertWritable();
    if (hasStableInode && !isFileAt(options.file, descriptor))
      throw new LedgerError('another file is in its place; nothing more is sent', { file: options.file, line: 0 });
    for (const [index, { event, resolve }] of group.entries()) {
      const { length } = lines[index] as Buffer;
      const placed = { event, offsetBytes: bytes, lengthBytes: length - 1 };
      bytes += length;
      syncedSeq = event.seq;
      options.onDurable(placed);
      resolve();
    }
  }

  /** With reserved space, a full disk is no reason to drop an event about effects. */
  async function writeDurably(group: Buffer): Promise<void> {
    const write = async () => {
      writeFully(descriptor, group, bytes);
      await syncData(descriptor);
    };
    try {
      await write();
    } catch (error) {
      if (!isOutOfRoom(error) || options.reserve?.release() !== true) throw error;
      await write();
    }
  }

  return {
    append(event) {
      return new Promise((resolve, reject) => {
        if (failure !== null) return reject(failure);
        seq += 1;
        const stored: StoredEvent = { ...event, seq, at: options.clock().toISOString() };
        waiting.push({ event: stored, resolve, reject });
        flushing ??= flush();
      });
    },
    async close() {
      await flushing;
      fs.closeSync(descriptor);
    },
  };
}

function openAtEnd(options: EventLogOptions): { readonly descriptor: number; readonly hasStableInode: boolean } {
  const { O_RDWR, O_CREAT } = fs.constants;
  const descriptor = openPrivateFile(options.file, O_RDWR | O_CREAT);
  const { seq, bytes } = options.end;
  try {
    options.assertWritable();
    if (fs.fstatSync(descriptor).size > bytes) {
      if (options.end.isHoled) {
        const kept = keepTail(options.file, bytes);
        options.tell(
          `${options.file}:${seq + 1}: the log is broken here, in events that were being written when the power failed; they are kept in ${kept}, and what they were about is looked for at the provider`,
        );
      }
      onDisk(options.file, () => fs.ftruncateSync(descriptor, bytes));
    }
    // What was read may not have been on disk yet: a process can be killed between write and sync.
    onDisk(options.file, () => fs.fdatasyncSync(descriptor));
    // Some file systems give a file another inode each time it is opened.
    return { descriptor, hasStableInode: isFileAt(options.file, descriptor) };
  } catch (error) {
    fs.closeSync(descriptor);
    throw error;
  }
}

function syncData(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => fs.fdatasync(descriptor, (error) => (error ? reject(error) : resolve())));
}
