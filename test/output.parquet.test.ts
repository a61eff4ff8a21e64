import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { type FileMetaData, parquetMetadata } from 'hyparquet';
import { stringifyExactly } from '../src/core/exact/exact-number.ts';
import type { FinishedRow } from '../src/core/finished-row.ts';
import type { Row } from '../src/core/row.ts';
import { NO_USAGE } from '../src/core/usage.ts';
import { openTable } from '../src/input/table/open-table.ts';
import { createTableWriter } from '../src/output/table-writer.ts';
import type { TableWriterOptions } from '../src/output/table-writer-options.ts';
import { projectRoot } from './helpers/project-root.ts';

const { signal } = new AbortController();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-parquet-out-'));
after(() => fs.rmSync(folder, { recursive: true }));

const open = (file: string) => openTable({ path: file, format: null, delimiter: null, encoding: null, columns: null, id: [] }, { signal });

async function readRows(file: string): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for await (const chunk of (await open(file)).readRows(signal)) rows.push(...chunk);
  return rows;
}

function finish(row: Pick<Row, 'cells'>, answer: unknown, rest: Partial<FinishedRow> = {}): FinishedRow {
  return {
    row: { index: 0, file: 'in', line: 1, record: null, key: null, ...row },
    disposition: { status: 'ok', source: 'new' },
    answer,
    attempts: 1,
    model: 'gpt-4o-mini',
    usage: { inputTokens: 23, cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens: 5, reasoningTokens: 0 },
    answerUsage: NO_USAGE,
    costNanoUsd: 3_225,
    requestId: 'req_1',
    key: 'k',
    ...rest,
  };
}

async function write(name: string, options: Partial<TableWriterOptions>, rows: readonly FinishedRow[]): Promise<string> {
  const file = path.join(folder, name);
  const defaults = { columns: [], keep: 'all', prefix: '', answerColumns: [], excel: false, simulated: false } as const;
  const writer = await createTableWriter({ path: file, format: 'parquet', ...defaults, ...options });
  for (const row of rows) await writer.write(row);
  const written = await writer.finish();
  assert.deepEqual(written, { sha256: hash('sha256', fs.readFileSync(file)), bytes: fs.statSync(file).size });
  return file;
}

const readMetadata = (file: string): FileMetaData => parquetMetadata(fs.readFileSync(file));
const typesOf = (file: string) =>
  readMetadata(file)
    .schema.slice(1)
    .map(({ name, type, logical_type: logical, converted_type: converted }) => `${name} ${logical?.type ?? converted ?? type}`);

test('columns of a Parquet table are written with the types and values they were read with', async () => {
  const input = path.join(projectRoot, 'fixtures', 'types.parquet');
  const table = await open(input);
  const rows = await readRows(input);
  const stored = table.stored ?? [];
  assert.equal(stored.length, table.columns.length);
  const file = await write(
    'types.parquet',
    { columns: table.columns, stored },
    rows.map((row) => finish(row, 'yes')),
  );
  const again = await readRows(file);
  for (const [index, { cells }] of rows.entries()) {
    for (const [place, name] of table.columns.entries())
      assert.equal(stringifyExactly(again[index]?.cells[place]), stringifyExactly(cells[place]), name);
  }
  const before = typesOf(input);
  const WHOLE: Readonly<Record<string, string>> = { small: 'INT_8', unsigned: 'UINT_64' };
  assert.deepEqual(
    typesOf(file).slice(0, before.length),
    before.map((column) => {
      const [name = ''] = column.split(' ');
      return WHOLE[name] === undefined ? column : `${name} ${WHOLE[name]}`;
    }),
  );
});

test('answers have the types of their schema, and the added columns their own', async () => {
  const answerTypes = {
    label: { type: 'string' },
    count: { type: ['integer', 'null'] },
    share: { type: 'number' },
    urgent: { type: 'boolean' },
    tags: { type: 'array' },
  };
  const answer = { label: 'a', count: 3, share: 0.5, urgent: false, tags: ['x', { y: 1 }] };
  const options = { columns: ['id', 'n'], answerColumns: Object.keys(answerTypes), answerTypes, prefix: 'p_', simulated: true };
  const failed = { disposition: { status: 'failed', cause: 'invalid', message: 'no label' }, costNanoUsd: null, model: null } as const;
  const file = await write('own.parquet', options, [
    finish({ cells: ['1', { a: [1] }] }, answer),
    finish({ cells: ['2', null] }, undefined, failed),
  ]);
  assert.deepEqual(typesOf(file), [
    'id STRING',
    'n STRING',
    'p_label STRING',
    'p_count INT64',
    'p_share DOUBLE',
    'p_urgent BOOLEAN',
    'p_tags STRING',
    'p__status STRING',
    'p__error STRING',
    'p__source STRING',
    'p__attempts INT64',
    'p__model STRING',
    'p__input_tokens INT64',
    'p__cached_tokens INT64',
    'p__output_tokens INT64',
    'p__reasoning_tokens INT64',
    'p__cost_usd DECIMAL',
    'p__request_id STRING',
    'p__simulated BOOLEAN',
  ]);
  const cost = readMetadata(file).schema.find(({ name }) => name === 'p__cost_usd');
  assert.deepEqual(cost?.logical_type, { type: 'DECIMAL', precision: 18, scale: 9 });
  const cells = (await readRows(file)).map((row) => stringifyExactly(row.cells));
  assert.deepEqual(cells, [
    '["1","{\\"a\\":[1]}","a",3,0.5,false,"[\\"x\\",{\\"y\\":1}]","ok",null,"new",1,"gpt-4o-mini",23,0,5,0,0.000003225,"req_1",true]',
    '["2",null,null,null,null,null,null,"failed","invalid: no label",null,1,null,23,0,5,0,null,"req_1",true]',
  ]);
});

test('long tables are cut into row groups, and an old table stays until the new one is complete', async () => {
  const text = 'x'.repeat(20_000);
  const file = await write(
    'groups.parquet',
    { columns: ['text'] },
    Array.from({ length: 2_000 }, () => finish({ cells: [text] }, 'yes')),
  );
  assert.ok(readMetadata(file).row_groups.length >= 2);
  assert.equal((await readRows(file)).length, 2_000);
  const before = fs.readFileSync(file);
  const options = { columns: [], keep: 'all', prefix: '', answerColumns: [], excel: false, simulated: false } as const;
  const writer = await createTableWriter({ path: file, format: 'parquet', ...options });
  await writer.write(finish({ cells: [] }, 'no'));
  await writer.abandon();
  assert.deepEqual(fs.readFileSync(file), before);
  assert.deepEqual(
    fs.readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('a table without rows is a table', async () => {
  const file = await write('empty.parquet', { columns: ['a'] }, []);
  assert.equal(readMetadata(file).num_rows, 0n);
});

test('a whole number beyond 64 bits is refused with its column', async () => {
  const options = { answerColumns: ['n'], answerTypes: { n: { type: 'integer' } } };
  await assert.rejects(
    write('beyond.parquet', options, [finish({ cells: [] }, { n: 1e300 })]),
    /column "n": .* does not fit into the 64 bits/,
  );
});
