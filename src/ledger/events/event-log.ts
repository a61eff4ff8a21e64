import fs from 'node:fs';
import path from 'node:path';
import { AppError, LedgerError } from '../../core/errors.ts';
import type { Event, StoredEvent } from '../../core/event.ts';
import { NewerFormatError, refuseNewer } from '../../core/formats.ts';
import { isFileAt, openForReading, openPrivateFile, readBytesAt, writeFully } from '../disk/durable-files.ts';
import { forEachLine, readLineChunks } from '../disk/read-lines.ts';
import { makeEventLine, readEventLine } from './event-line.ts';

/** More than this many events never share one sync, so that the first of them does not wait for the last. */
const GROUP_EVENTS = 64;

/** An event with the place of its line in `events.jsonl`. */
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
}

/**
 * Reads the event log from its beginning, handing on every event in order. Bytes after the last newline are what a crash left of an
 * event that was never announced: they are skipped.
 * @throws NewerFormatError where a newer version says that it goes on; LedgerError with file and line where a line is damaged or missing
 */
export async function readEvents(file: string, visit: (placed: PlacedEvent) => Promise<void> | void, signal: AbortSignal): Promise<LogEnd> {
  let end: LogEnd = { seq: 0, bytes: 0 };
  for await (const chunk of readLineChunks(file, { signal })) {
    const placed: PlacedEvent[] = [];
    // Told after the lines before it were seen: they may say that a newer version wrote what follows.
    const damage: unknown[] = [];
    forEachLine(chunk.bytes, (start, stop) => {
      if (stop === chunk.bytes.length || damage.length > 0) return;
      const seq = end.seq + 1;
      try {
        const event = readLine(file, chunk.bytes.subarray(start, stop), seq);
        placed.push({ event, offsetBytes: chunk.offsetBytes + start, lengthBytes: stop - start });
      } catch (error) {
        damage.push(error);
      }
      end = { seq, bytes: chunk.offsetBytes + stop + 1 };
    });
    for (const one of placed) {
      checkFormat(one.event, file);
      await visit(one);
    }
    if (damage.length > 0) throw damage[0];
  }
  return end;
}

function checkFormat(event: StoredEvent, file: string): void {
  if (event.type !== 'state-created' && event.type !== 'format-raised') return;
  const refusal = refuseNewer('state', `the state directory ${path.dirname(file)} was written`, { version: undefined, ...event });
  if (refusal !== null) throw new NewerFormatError(refusal);
}

/** Every line holds the event of its own number: `seq` counts lines from 1. */
function readLine(file: string, line: Buffer, seq: number): StoredEvent {
  const reading = readEventLine(line);
  if (reading.status === 'damaged') {
    throw new LedgerError(`${reading.message}; restore the file from a backup, or cut it before this line`, { file, line: seq });
  }
  if (reading.event.seq !== seq) {
    const message = `event ${reading.event.seq} stands where event ${seq} belongs; restore the file from a backup`;
    throw new LedgerError(message, { file, line: seq });
  }
  return reading.event;
}

/** Reads one event again. @throws LedgerError when the line has changed since */
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
   * Announces an event: resolves once it is synced to the disk and `onDurable` has seen it. Events announced together share a sync.
   * @throws LedgerError when a write or sync failed, for this event and every later one: after that only a new reading of the disk is to be trusted
   */
  append(event: Event): Promise<void>;
  /** Waits for everything announced, then closes the file. */
  close(): Promise<void>;
}

export interface EventLogOptions {
  readonly file: string;
  readonly end: LogEnd;
  readonly clock: () => Date;
  /** Called before every group is written, and again when it is on the disk; throws when this process may no longer write. */
  readonly assertWritable: () => void;
  /** Called for every event in order, right after its sync. */
  readonly onDurable: (placed: PlacedEvent) => void;
}

interface Waiting {
  readonly event: StoredEvent;
  readonly line: Buffer;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Opens the log for appending after `end`, cutting a torn tail. */
export function openEventLog(options: EventLogOptions): EventLog {
  const { O_RDWR, O_CREAT } = fs.constants;
  const descriptor = openPrivateFile(options.file, O_RDWR | O_CREAT);
  options.assertWritable();
  let { seq, bytes } = options.end;
  if (fs.fstatSync(descriptor).size > bytes) {
    fs.ftruncateSync(descriptor, bytes);
    fs.fdatasyncSync(descriptor);
  }
  // Some file systems give a file another number each time it is opened.
  const hasStableInode = isFileAt(options.file, descriptor);
  let waiting: Waiting[] = [];
  let flushing: Promise<void> | null = null;
  let failure: AppError | null = null;

  async function flush(): Promise<void> {
    // One turn of the event loop lets everything that is ready now share the sync; while a sync runs, the next group gathers.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const group = waiting.splice(0, GROUP_EVENTS);
      try {
        await writeGroup(group);
      } catch (error) {
        failure ??= describeFailure(options.file, error);
        for (const one of [...group, ...waiting]) one.reject(failure);
        waiting = [];
      }
    }
    flushing = null;
  }

  async function writeGroup(group: readonly Waiting[]): Promise<void> {
    options.assertWritable();
    writeFully(descriptor, Buffer.concat(group.map((one) => one.line)), bytes);
    await syncData(descriptor);
    // What costs money waits for this: it must not happen when the log others read is another file by now.
    options.assertWritable();
    if (hasStableInode && !isFileAt(options.file, descriptor))
      throw new LedgerError('another file stands in its place; nothing more is sent', { file: options.file, line: 0 });
    for (const { event, line, resolve } of group) {
      const placed = { event, offsetBytes: bytes, lengthBytes: line.length - 1 };
      bytes += line.length;
      options.onDurable(placed);
      resolve();
    }
  }

  return {
    append(event) {
      return new Promise((resolve, reject) => {
        if (failure !== null) return reject(failure);
        seq += 1;
        const stored: StoredEvent = { ...event, seq, at: options.clock().toISOString() };
        waiting.push({ event: stored, line: Buffer.from(makeEventLine(stored)), resolve, reject });
        flushing ??= flush();
      });
    },
    async close() {
      await flushing;
      fs.closeSync(descriptor);
    },
  };
}

function syncData(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => fs.fdatasync(descriptor, (error) => (error ? reject(error) : resolve())));
}

/** A lock that is lost says so itself; anything else is the disk's. */
function describeFailure(file: string, error: unknown): AppError {
  if (error instanceof AppError) return error;
  const message = `writing failed (${(error as Error).message}); nothing more is sent; run the same command again once the disk is well`;
  return new LedgerError(message, { file, line: 0 }, { cause: error });
}
