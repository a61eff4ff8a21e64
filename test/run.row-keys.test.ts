import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Row } from '../src/core/row.ts';
import { KeyIndex } from '../src/ledger/key-index.ts';
import { openRowKeysFile } from '../src/ledger/row-keys-file.ts';
import { keepKeys } from '../src/run/open/kept-keys.ts';
import { makeFolder } from './helpers/api-world.ts';

const ROWS = 9_000;
const KEYS = Array.from({ length: ROWS }, (_, index) => hash('sha256', `row ${index}`, 'base64url').slice(0, 22));
/** Of this row nothing is asked. */
const SKIPPED = 4_321;
const KEPT = KEYS.map((key, index) => (index === SKIPPED ? null : key));

interface World {
  readonly directory: string;
  readonly bytes?: string;
  readonly model?: string;
  readonly rows?: number;
  readonly files?: readonly (readonly [path: string, bytes: number])[];
}

/** Opens a table and its keys as a process does that has all answers. */
function open({ directory, bytes = 'as they were', model = 'gpt-4o-mini', rows = ROWS, files = [['/in.csv', 12]] }: World) {
  const keys = new KeyIndex();
  for (const key of KEYS) keys.setOutcome(keys.add(key), 'ok', null);
  const sha256 = hash('sha256', bytes);
  async function* readRows(_signal: AbortSignal, onSha256?: (hex: string) => void): AsyncGenerator<readonly Row[]> {
    for (let start = 0; start < rows; start += 500) {
      const length = Math.min(500, rows - start);
      yield Array.from({ length }, (_, place) => ({ index: start + place, file: '', line: 1, cells: [], record: null, key: null }));
    }
    onSha256?.(sha256);
  }
  const table = {
    columns: [],
    format: 'csv',
    files: files.map(([path]) => path),
    fileBytes: files.map(([, bytes]) => bytes),
    bytes: 0,
    warnings: [],
    readWarnings: () => [],
    readRows,
    readSha256: async () => sha256,
  };
  const compiled = { job: { name: 'job', model, input: { path: 'in.csv' }, write: { path: 'out.csv' } }, examples: [] };
  const prepared = { table, compiled, customPricesSha256: '' } as unknown as Parameters<typeof keepKeys>[0];
  return keepKeys(prepared, { keys, rowKeys: openRowKeysFile(directory, () => 'token') });
}

/** Reads the table, and sets each row's key as a reader does that renders it. @returns the keys the rows came with */
async function readTable(
  world: World,
  isLeft: (row: Row) => boolean = () => false,
  keyOf: (index: number) => string | null = (index) => KEPT[index] ?? null,
): Promise<readonly (string | null)[]> {
  const found: (string | null)[] = [];
  for await (const rows of open(world).table.readRows(new AbortController().signal)) {
    for (const row of rows) {
      if (isLeft(row)) return found;
      found.push(row.key);
      row.key = keyOf(row.index);
    }
  }
  return found;
}

const NONE = KEYS.map(() => null);

test('a later process uses the keys of an unchanged table and job, and of no other', async (t) => {
  const directory = makeFolder(t, {});
  assert.deepEqual(await readTable({ directory }), NONE);
  assert.deepEqual(readdirSync(directory), ['keys']);
  assert.deepEqual(await readTable({ directory }), KEPT);
  assert.deepEqual(await readTable({ directory, model: 'gpt-4o' }), NONE);
  assert.deepEqual(await readTable({ directory }), NONE, 'the keys of the other job are in their place');
  assert.deepEqual(await readTable({ directory, bytes: 'with another row' }), NONE);
});

test('keys of the same bytes in other files are not used: the first line of each may be a header', async (t) => {
  const directory = makeFolder(t, {});
  const of = (...files: NonNullable<World['files']>) => readTable({ directory, files });
  await of(['/a.csv', 5], ['/b.csv', 7]);
  assert.deepEqual(await of(['/a.csv', 5], ['/b.csv', 7]), KEPT);
  assert.deepEqual(await of(['/in.csv', 12]), NONE);
  assert.deepEqual(await of(['/a.csv', 7], ['/b.csv', 5]), NONE);
  assert.deepEqual(await of(['/a.tsv', 7], ['/b.csv', 5]), NONE);
});

/** By row, the number of its key. */
const ORDERS: Readonly<Record<string, (index: number) => number | null>> = {
  'as in a table whose rows all differ': (index) => index,
  'one row twice': (index) => index - (index > 5_000 ? 1 : 0),
  'each row twice': (index) => index >> 1,
  'all rows the same': () => 7,
  'the other way round': (index) => ROWS - 1 - index,
  'a row without a key at the beginning, and after each hundred': (index) => (index % 100 === 0 ? null : index),
  'no key in the first half': (index) => (index < ROWS / 2 ? null : index),
};

for (const [what, order] of Object.entries(ORDERS)) {
  test(`each row comes with its own key, and rows that were not there with none: ${what}`, async (t) => {
    const directory = makeFolder(t, {});
    const expected = KEYS.map((_, index) => KEYS[order(index) ?? -1] ?? null);
    await readTable({ directory }, undefined, (index) => expected[index] ?? null);
    assert.deepEqual(await readTable({ directory, rows: ROWS + 5_000 }), [...expected, ...Array(5_000).fill(null)]);
  });
}

/** What may happen to the file. */
const DAMAGES: Readonly<Record<string, (file: string, bytes: Buffer) => void>> = {
  'a changed character': (file, bytes) => {
    bytes[bytes.length - 30] = (bytes[bytes.length - 30] as number) ^ 1;
    writeFileSync(file, bytes);
  },
  'two keys that changed places': (file, bytes) => {
    const last = Buffer.from(bytes.subarray(-22));
    bytes.copyWithin(bytes.length - 22, bytes.length - 44, bytes.length - 22);
    last.copy(bytes, bytes.length - 44);
    writeFileSync(file, bytes);
  },
  'a lost end': (file, bytes) => truncateSync(file, bytes.length - 22),
  'zeros in the place of everything': (file, bytes) => writeFileSync(file, bytes.fill(0)),
  'nothing in it': (file) => writeFileSync(file, ''),
  'another version': (file, bytes) => writeFileSync(file, bytes.toString('latin1').replace(/"version":"\d/, '"version":"9'), 'latin1'),
};

for (const [what, damage] of Object.entries(DAMAGES)) {
  test(`no key is used from a file with ${what}, and the next pass writes it again`, async (t) => {
    const directory = makeFolder(t, {});
    await readTable({ directory });
    const file = join(directory, 'keys');
    const before = readFileSync(file);
    damage(file, Buffer.from(before));
    assert.notDeepEqual(readFileSync(file), before);
    assert.deepEqual(await readTable({ directory }), NONE);
    assert.deepEqual(readFileSync(file), before);
  });
}

test('a pass that ends early, and one over a small table, write nothing', async (t) => {
  const directory = makeFolder(t, {});
  await readTable({ directory }, ({ index }) => index === ROWS - 1);
  await readTable({ directory, rows: 8_000 });
  assert.deepEqual(readdirSync(directory), []);
});
