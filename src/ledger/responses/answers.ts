import fs from 'node:fs';
import path from 'node:path';
import { LedgerError } from '../../core/errors.ts';
import type { Cause, Outcome, OutcomeStatus } from '../../core/outcome.ts';
import { type DecideLine, type ResponseLine, readResponseLine } from '../../core/response-line.ts';
import type { LaneName, LineLocation } from '../../core/settled.ts';
import { openForReading, readBytesAt, readInto } from '../disk/durable-files.ts';
import type { ResponseFile } from '../response-file.ts';

/** What the ledger has for a key: its winning line, else its latest. */
export interface StoredAnswer {
  /** Null for an outcome without a line: missing, refused in validation, or no result yet. */
  readonly line: ResponseLine | null;
  /** Judged again from the line, so with the checked value. */
  readonly outcome: Outcome;
  /** Null without a line. */
  readonly lane: LaneName | null;
  /** Unix seconds: the batch's `created_at`, for answers without a date of their own; null without a line. */
  readonly createdSeconds: number | null;
}

/** An answer that was judged invalid or truncated: a re-ask shows it to the model. */
export interface JudgedAnswer {
  readonly cause: Extract<Cause, 'invalid' | 'truncated'>;
  /** Its text; null if it had none. */
  readonly text: string | null;
  /** What is wrong with it, in words for a re-ask. */
  readonly message: string;
}

/** Files are kept open; the one open longest is closed for a new one. */
const MAX_OPEN_FILES = 64;
/** A file that many lines are needed from is read as a whole if it is no larger than this: the rows of a table find their answers in a few files. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;
const READS_BEFORE_HOLDING = 1_000;

/** Reads single lines of the response files. */
export interface AnswerReader {
  /** Reads and judges one line. @throws LedgerError if the file is gone or there is no response line at that location */
  read(file: ResponseFile, location: Pick<LineLocation, 'offsetBytes' | 'lengthBytes'>): StoredAnswer;
  close(): void;
}

export function createAnswerReader(directory: string, decide: DecideLine): AnswerReader {
  const descriptors = new Map<string, number>();
  let held = { number: 0, bytes: 0, memory: Buffer.alloc(0) };
  let reads = { number: 0, count: 0 };

  function openFile(file: ResponseFile): number {
    const known = descriptors.get(file.name);
    if (known !== undefined) return known;
    for (const [name, descriptor] of descriptors) {
      if (descriptors.size < MAX_OPEN_FILES) break;
      fs.closeSync(descriptor);
      descriptors.delete(name);
    }
    const descriptor = openForReading(path.join(directory, file.name));
    descriptors.set(file.name, descriptor);
    return descriptor;
  }

  function readText(file: ResponseFile, { offsetBytes, lengthBytes }: Pick<LineLocation, 'offsetBytes' | 'lengthBytes'>): string {
    const start = offsetBytes - file.offsetBytes;
    // A part of a live file may have grown since it was read.
    if (held.number === file.number && start + lengthBytes <= held.bytes) return held.memory.toString('utf8', start, start + lengthBytes);
    reads = { number: file.number, count: reads.number === file.number ? reads.count + 1 : 1 };
    if (reads.count > READS_BEFORE_HOLDING && file.bytes <= MAX_HELD_BYTES) {
      // One buffer for all files: pages never written to cost nothing, while new buffers would pile up until garbage collection.
      const memory = held.memory.length > 0 ? held.memory : Buffer.allocUnsafeSlow(MAX_HELD_BYTES);
      const bytes = readInto(memory.subarray(0, file.bytes), openFile(file), file.offsetBytes);
      held = { number: file.number, bytes, memory };
    }
    return readBytesAt(openFile(file), { offsetBytes, lengthBytes }).toString('utf8');
  }

  return {
    read(file, location) {
      const reading = readResponseLine(readText(file, location));
      if (reading.status === 'malformed') {
        const place = { file: path.join(directory, file.name), line: 0 };
        throw new LedgerError(`the line at byte ${location.offsetBytes} has changed since it was recorded: ${reading.message}`, place);
      }
      const outcome = decide(reading.line);
      return { line: reading.line, outcome, lane: file.lane, createdSeconds: file.createdSeconds };
    },
    close() {
      for (const descriptor of descriptors.values()) fs.closeSync(descriptor);
      descriptors.clear();
    },
  };
}

/** The answer of a key without a line. `held` says why it is not sent again automatically; null if it may be. */
export function makeAnswerlessRecord(
  status: OutcomeStatus | null,
  rejection: { code: string; message: string } | undefined,
  held: string | null,
): StoredAnswer {
  const outcome: Outcome = {
    status: status ?? 'missing',
    message: rejection?.message ?? held ?? describeAbsence(status),
    code: rejection?.code ?? null,
    isBilled: false,
    usage: null,
    model: null,
    tier: null,
    createdSeconds: null,
    value: undefined,
    answerText: null,
    isUnreadable: false,
    isUnmarked: false,
  };
  return { line: null, outcome, lane: null, createdSeconds: null };
}

function describeAbsence(status: OutcomeStatus | null): string {
  switch (status) {
    case null:
      return 'nothing came back yet';
    case 'expired':
      return 'the batch expired before this request was executed';
    case 'cancelled':
      return 'the batch was cancelled before this request was executed';
    case 'unknown':
      return 'the answer was lost; it may have been billed';
    default:
      return 'the batch ended without a line for this request';
  }
}
