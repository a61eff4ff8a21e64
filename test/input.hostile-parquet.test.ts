import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { parquetWriteBuffer, type SchemaElement } from 'hyparquet-writer';
import { stringifyExactly } from '../src/core/exact/exact-number.ts';
import { NO_USAGE } from '../src/core/usage.ts';
import { readRuns, readValues } from '../src/input/parquet/read-values.ts';
import { openTable } from '../src/input/table/open-table.ts';
import { createTableWriter } from '../src/output/table-writer.ts';
import { projectRoot } from './helpers/project-root.ts';

const { signal } = new AbortController();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-hostile-parquet-'));
after(() => fs.rmSync(folder, { recursive: true }));

async function open(file: string, split?: { readonly column: string; readonly tokens: number; readonly overlap: number }) {
  const spec = { path: file, format: null, delimiter: null, encoding: null, columns: null, id: [] };
  const table = await openTable(split === undefined ? spec : { ...spec, split }, { cwd: folder, signal });
  const rows = [];
  for await (const chunk of table.readRows(signal)) rows.push(...chunk);
  return { table, rows };
}

type Opened = Awaited<ReturnType<typeof open>>;

/** Writes a table as Parquet and reads it again. */
async function copy({ table, rows }: Opened): Promise<readonly string[]> {
  const file = path.join(folder, 'copy.parquet');
  const shape = { columns: table.columns, keep: 'all', prefix: '', answerColumns: [], simulated: false, excel: false } as const;
  const writer = await createTableWriter({ path: file, format: 'parquet', ...shape, stored: table.stored ?? null });
  for (const row of rows) {
    const books = { attempts: 1, model: 'm', usage: NO_USAGE, answerUsage: NO_USAGE, costNanoUsd: 1, requestId: null, key: null };
    await writer.write({ row, disposition: { status: 'ok', source: 'new' }, answer: 'yes', ...books });
  }
  await writer.finish();
  return (await open(file)).rows.map(({ cells }) => stringifyExactly(cells.slice(0, table.columns.length)));
}

const MAP_PAIR = { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 } as const;
const MAP = { name: 'm', repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'MAP' } as const;
const KEY = { name: 'key', repetition_type: 'REQUIRED' } as const;
const VALUE = { name: 'value', repetition_type: 'OPTIONAL', type: 'INT32' } as const;

function write(name: string, schema: readonly SchemaElement[], data: readonly unknown[]): string {
  const [top] = schema as [SchemaElement];
  const root: SchemaElement = { name: 'root', num_children: 1 };
  const bytes = parquetWriteBuffer({ columnData: [{ name: top.name, data: [...data] }], schema: [root, ...schema] });
  fs.writeFileSync(path.join(folder, name), Buffer.from(bytes));
  return path.join(folder, name);
}

test('counts larger than their page can hold are refused before memory fills up', () => {
  const refused: readonly (readonly [name: string, read: () => unknown, says: RegExp])[] = [
    ['a repeated number', () => readRuns(Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0x0f, 1), 1, 8), /a run is longer than its page/],
    ['packed numbers', () => readRuns(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 1), 1, 8), /a run is longer than its page/],
    ['runs of none', () => readRuns(new Uint8Array(9), 1, 8), /./],
    ['wide numbers', () => readRuns(new Uint8Array(9), 33, 8), /values of 33 bits/],
    [
      'blocks of none',
      () => readValues(new Uint8Array(64), { encoding: 'DELTA_BINARY_PACKED', type: 'INT32', count: 8, typeLength: undefined }),
      /blocks of values have an invalid size/,
    ],
  ];
  for (const [name, read, says] of refused) assert.throws(read, says, name);
  assert.deepEqual(readRuns(Uint8Array.of(10, 3, 3, 0b1010_0101, 0), 2, 9), [3, 3, 3, 3, 3, 1, 1, 2, 2]);
});

test('contradictory metadata and indistinguishable columns are refused in a sentence', async () => {
  const types = fs.readFileSync(path.join(projectRoot, 'fixtures', 'types.parquet'));
  const description = types.length - 8 - types.readUInt32LE(types.length - 8);
  types.write('clocq', types.indexOf('clock', description));
  fs.writeFileSync(path.join(folder, 'names.parquet'), types);
  await assert.rejects(open(path.join(folder, 'names.parquet')), { name: 'UsageError', message: /row group 1: .*not found: clock/ });
  const twice = write(
    'twice.parquet',
    [MAP, MAP_PAIR, { ...KEY, type: 'INT32' }, VALUE],
    [
      [[1, 1]],
      [
        [7, 1],
        [7, 2],
      ],
    ],
  );
  await assert.rejects(open(twice), { name: 'UsageError', message: /column "m", row group 1: a map contains a key twice/ });
  const struct: SchemaElement = { name: 's', repetition_type: 'OPTIONAL', num_children: 2 };
  const field: SchemaElement = { name: 'x', repetition_type: 'OPTIONAL', type: 'INT32' };
  await assert.rejects(open(write('fields.parquet', [struct, field, field], [{ x: 1 }])), {
    name: 'UsageError',
    message: /two fields are called "x"; every field needs a unique name/,
  });
});

test('maps whose keys cannot be restored are written as text, and parts of a list as parts', async () => {
  const flags = write(
    'flags.parquet',
    [MAP, MAP_PAIR, { ...KEY, type: 'BOOLEAN' }, VALUE],
    [
      [
        [true, 1],
        [false, 2],
      ],
      null,
    ],
  );
  assert.deepEqual(await copy(await open(flags)), ['["{\\"true\\":1,\\"false\\":2}"]', '[null]']);
  const numbers = write(
    'numbers.parquet',
    [MAP, MAP_PAIR, { ...KEY, type: 'INT32' }, VALUE],
    [
      [
        [7, 1],
        [8, null],
      ],
    ],
  );
  assert.deepEqual(await copy(await open(numbers)), ['[{"7":1,"8":null}]']);
  const list: readonly SchemaElement[] = [
    { name: 'l', repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'OPTIONAL', type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  ];
  const words = Array.from({ length: 30 }, (_, index) => `word ${index}`);
  const parts = await open(write('list.parquet', list, [words]), { column: 'l', tokens: 16, overlap: 0 });
  assert.ok(parts.rows.length > 3);
  const texts = (await copy(parts)).map((line) => (JSON.parse(line) as readonly string[])[0]);
  assert.equal(texts.join(''), JSON.stringify(words));
});
