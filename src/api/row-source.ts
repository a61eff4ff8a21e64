import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { UsageError } from '../core/errors.ts';
import { showValue } from '../core/problem-path.ts';
import { waitUnlessAborted } from '../core/waiting/wait-unless-aborted.ts';

/** Rows from a program, as the lines of a JSONL table. */
export interface RowSource {
  /**
   * The whole table, from its start.
   * @throws UsageError for an invalid row; whatever the source throws, each time; the signal's reason if it fires meanwhile
   */
  open(signal?: AbortSignal): Promise<Readable>;
}

const read = promisify(fs.read);

type Rows = AsyncIterable<unknown> | Iterable<unknown>;

/** Characters of lines written at once. */
const CHUNK_CHARACTERS = 1 << 16;

/**
 * Reads the rows once, when they are first needed, and stores them in a file without a name: it is gone with this process, however that
 * ends. So plans and runs see the same rows, and a generator can be planned before it is run.
 */
export function createRowSource(rows: Rows): RowSource {
  let kept: Promise<KeptFile> | null = null;
  const leaving = new AbortController();
  return {
    async open(signal = new AbortController().signal) {
      kept ??= keepLines(rows, leaving.signal);
      const file = await waitUnlessAborted(kept, signal).catch((error: unknown) => {
        // An endless source would be read forever; one that was abandoned cannot be restarted.
        if (signal.aborted) leaving.abort(refuse('were left by a run that was stopped before they came to an end; call defineJob again'));
        throw error;
      });
      return Readable.from(readFile(file), { objectMode: false });
    },
  };
}

/** A file without a name, which lives as long as something refers to this. */
interface KeptFile {
  readonly descriptor: number;
}

const descriptors = new FinalizationRegistry<number>((descriptor) => fs.closeSync(descriptor));

async function keepLines(rows: Rows, leaving: AbortSignal): Promise<KeptFile> {
  const name = path.join(os.tmpdir(), `rowmill-rows-${randomUUID()}`);
  const descriptor = fs.openSync(name, 'wx+', 0o600);
  const file = { descriptor };
  descriptors.register(file, descriptor);
  fs.unlinkSync(name);
  // Not by streams, which close their descriptor when they are destroyed: it would be closed twice, and the second time might be another file.
  for await (const lines of makeLines(rows, leaving)) fs.appendFileSync(descriptor, lines);
  return file;
}

async function* makeLines(rows: Rows, leaving: AbortSignal): AsyncGenerator<string> {
  let number = 0;
  let lines = '';
  for await (const row of rows) {
    leaving.throwIfAborted();
    number += 1;
    lines += `${makeLine(row, number)}\n`;
    if (lines.length < CHUNK_CHARACTERS) continue;
    yield lines;
    lines = '';
  }
  if (number === 0) throw refuse('gives no row');
  yield lines;
}

function makeLine(row: unknown, number: number): string {
  if (typeof row !== 'object' || row === null || Array.isArray(row))
    throw refuse(`row ${number} is ${showValue(row)}; give objects with a value per column`);
  try {
    return JSON.stringify(row, function (this: Readonly<Record<string, unknown>>, key, value: unknown) {
      if (typeof value === 'bigint') return String(value);
      const lost = describeLost(value, this[key]);
      if (lost !== null) throw refuse(`row ${number}: "${key}" is ${lost}, which no table can hold`);
      return value;
    });
  } catch (error) {
    if (error instanceof TypeError && /circular/i.test(error.message))
      throw refuse(`row ${number} refers to itself, which no table can hold`);
    throw error;
  }
}

/** What JSON would lose, in words; null for what it can hold. */
function describeLost(value: unknown, written: unknown): string | null {
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`;
  return value === null && written instanceof Date ? 'an invalid date' : null;
}

function refuse(what: string): UsageError {
  return new UsageError(`input.rows: ${what}`, { code: 'table' });
}

async function* readFile(file: KeptFile): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    const { bytesRead, buffer } = await read(file.descriptor, Buffer.allocUnsafe(CHUNK_CHARACTERS), 0, CHUNK_CHARACTERS, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
