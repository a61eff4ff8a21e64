import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { UsageError } from '../core/errors.ts';
import { showValue } from '../core/problem-path.ts';

/** Rows a program gives, as the lines of a JSONL table. */
export interface RowSource {
  /** The whole table, from its beginning. @throws UsageError for what is no row; whatever going through the rows throws, each time */
  open(): Promise<Readable>;
}

const read = promisify(fs.read);

type Rows = AsyncIterable<unknown> | Iterable<unknown>;

/** Characters of lines written at once. */
const CHUNK_CHARACTERS = 1 << 16;

/**
 * Goes through the rows once, when they are first wanted, and keeps them in a file that has no name: it is gone with this process, however that
 * ends. So plans and runs see the same rows, and a generator can be planned before it is run.
 */
export function createRowSource(rows: Rows): RowSource {
  let kept: Promise<KeptFile> | null = null;
  return {
    async open() {
      kept ??= keepLines(rows);
      const file = await kept;
      return Readable.from(readFile(file), { objectMode: false });
    },
  };
}

/** A file without a name, which lives as long as something refers to this. */
interface KeptFile {
  readonly descriptor: number;
}

const descriptors = new FinalizationRegistry<number>((descriptor) => fs.closeSync(descriptor));

async function keepLines(rows: Rows): Promise<KeptFile> {
  const name = path.join(os.tmpdir(), `rowmill-rows-${randomUUID()}`);
  const descriptor = fs.openSync(name, 'wx+', 0o600);
  const file = { descriptor };
  descriptors.register(file, descriptor);
  fs.unlinkSync(name);
  // Not by streams, which close what they were given when they are destroyed: it would be closed twice, and the second time be another file.
  for await (const lines of makeLines(rows)) fs.appendFileSync(descriptor, lines);
  return file;
}

async function* makeLines(rows: Rows): AsyncGenerator<string> {
  let number = 0;
  let lines = '';
  for await (const row of rows) {
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
  return JSON.stringify(row, (key, value: unknown) => {
    if (typeof value === 'bigint') return String(value);
    const isLost = (typeof value === 'number' && !Number.isFinite(value)) || typeof value === 'function' || typeof value === 'symbol';
    if (isLost)
      throw refuse(`row ${number}: "${key}" is ${typeof value === 'number' ? value : `a ${typeof value}`}, which no table can hold`);
    return value;
  });
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
