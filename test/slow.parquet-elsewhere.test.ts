import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { SchemaElement } from 'hyparquet';
import { stringifyExactly } from '../src/core/exact/exact-number.ts';
import { NO_USAGE } from '../src/core/usage.ts';
import { openTable } from '../src/input/table/open-table.ts';
import { createTableWriter } from '../src/output/table-writer.ts';
import { projectRoot } from './helpers/project-root.ts';

const { signal } = new AbortController();
const folder = mkdtempSync(join(tmpdir(), 'rowmill-elsewhere-'));
after(() => rmSync(folder, { recursive: true }));

const input = join(projectRoot, 'fixtures', 'types.parquet');
const file = join(folder, 'out.parquet');
const open = (path: string) => openTable({ path, format: null, delimiter: null, encoding: null, columns: null, id: [] }, { signal });

before(async () => {
  const table = await open(input);
  const shape = { columns: table.columns, keep: 'all', prefix: '', answerColumns: [], simulated: false, excel: false } as const;
  const writer = await createTableWriter({ path: file, format: 'parquet', ...shape, stored: table.stored ?? null });
  for await (const rows of table.readRows(signal)) {
    for (const row of rows) {
      const books = { attempts: 1, model: 'm', usage: NO_USAGE, answerUsage: NO_USAGE, costNanoUsd: 3_225, requestId: null, key: null };
      await writer.write({ row, disposition: { status: 'ok', source: 'new' }, answer: 'yes', ...books });
    }
  }
  await writer.finish();
});

/** What is used of parquet-wasm, the implementation of Arrow in Rust. */
interface ParquetWasm {
  readParquet(bytes: Uint8Array): object;
  writeParquet(table: object): Uint8Array;
}

async function describe(path: string) {
  const table = await open(path);
  const rows: string[][] = [];
  for await (const chunk of table.readRows(signal)) rows.push(...chunk.map(({ cells }) => cells.map(stringifyExactly)));
  const kinds = (table.stored ?? []).map(({ element }) => {
    const { logical_type: logical, converted_type: converted, type } = element as SchemaElement;
    // Whole numbers have an older and a newer mark, which say the same.
    if (logical?.type === 'INTEGER') return JSON.stringify(`${logical.isSigned ? 'INT' : 'UINT'}_${logical.bitWidth}`);
    return JSON.stringify(logical ?? converted ?? type);
  });
  return { columns: table.columns, rows, kinds };
}

test('another implementation reads a written Parquet table and writes the same values and types', async () => {
  const { readParquet, writeParquet } = createRequire(import.meta.url)('parquet-wasm') as ParquetWasm;
  const copy = join(folder, 'copy.parquet');
  writeFileSync(copy, writeParquet(readParquet(readFileSync(file))));
  const [ours, theirs] = [await describe(file), await describe(copy)];
  assert.deepEqual(theirs.columns, ours.columns);
  assert.equal(theirs.rows.length, 3);
  const place = ours.columns.indexOf('uuid');
  for (const [name, index] of ours.columns.map((column, at) => [column, at] as const)) {
    // It has no UUIDs: their bytes are the same.
    if (index === place) continue;
    assert.deepEqual(
      theirs.rows.map((cells) => cells[index]),
      ours.rows.map((cells) => cells[index]),
      name,
    );
    assert.equal(theirs.kinds[index], ours.kinds[index], name);
  }
  const toBase64 = (uuid = '') =>
    uuid === 'null' ? uuid : JSON.stringify(Buffer.from(uuid.replaceAll(/["-]/g, ''), 'hex').toString('base64'));
  assert.deepEqual(
    theirs.rows.map((cells) => cells[place]),
    ours.rows.map((cells) => toBase64(cells[place])),
  );
  assert.equal(theirs.rows[0]?.[ours.columns.indexOf('_cost_usd')], '0.000003225');
});

/** A Python that has pyarrow, for a look at its types too: `ROWMILL_TEST_PYTHON=/path/to/python npm run unit -- slow.parquet-elsewhere`. */
const python = process.env.ROWMILL_TEST_PYTHON;

const COMPARE = `
import sys, pyarrow.parquet as pq
before, after = (pq.read_table(path) for path in sys.argv[1:])
for name in before.column_names:
    old, new = before[name].combine_chunks(), after[name].combine_chunks()
    if hasattr(old.type, 'value_type') and str(old.type).startswith('dictionary'): old = old.cast(new.type)
    assert old.type == new.type, (name, old.type, new.type)
    same = old.equals(new) or repr(old.to_pylist()) == repr(new.to_pylist())
    assert same, name
print(after.schema.field('_cost_usd').type, after['_cost_usd'].to_pylist()[0])
`;

if (python !== undefined) {
  test('pyarrow reads a written Parquet table as equal to the original', () => {
    const { stdout, stderr } = spawnSync(python, ['-c', COMPARE, input, file], { encoding: 'utf8' });
    assert.equal(stdout.trim(), 'decimal128(18, 9) 0.000003225', stderr);
  });
}
