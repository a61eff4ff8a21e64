import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import type { FinishedRow } from '../src/core/finished-row.ts';
import { NO_USAGE } from '../src/core/usage.ts';
import { createTableWriter } from '../src/output/table-writer.ts';
import type { TableWriterOptions } from '../src/output/table-writer-options.ts';
import { runsOf } from './helpers/wide.ts';

let directory = '';
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

const SIDECAR =
  '_status,_error,_source,_attempts,_model,_input_tokens,_cached_tokens,_output_tokens,_reasoning_tokens,_cost_usd,_request_id';

function finished(cells: readonly unknown[], answer: unknown, rest: Partial<FinishedRow> = {}): FinishedRow {
  return {
    row: { index: 0, file: 'in.csv', line: 2, cells, record: null, key: null },
    disposition: { status: 'ok', source: 'new' },
    answer,
    attempts: 1,
    model: 'gpt-4o-mini-2024-07-18',
    usage: { inputTokens: 23, cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens: 5, reasoningTokens: 0 },
    answerUsage: NO_USAGE,
    costNanoUsd: 3225,
    requestId: 'req_1',
    key: 'k'.repeat(22),
    ...rest,
  };
}

async function writeTable(options: Partial<TableWriterOptions>, rows: readonly FinishedRow[]): Promise<string> {
  const target = path.join(directory, 'out', 'table');
  const writer = await createTableWriter({
    path: target,
    format: 'csv',
    columns: [],
    keep: 'all',
    prefix: '',
    answerColumns: [],
    excel: false,
    simulated: false,
    ...options,
  });
  for (const row of rows) await writer.write(row);
  const written = await writer.finish();
  const bytes = fs.readFileSync(target);
  assert.deepEqual(written, { sha256: hash('sha256', bytes), bytes: bytes.length });
  return bytes.toString();
}

test('a CSV row has the input, the answer by its type, and our eleven columns', async () => {
  const answer = { label: 'positive', score: -0.5, urgent: true, items: ['a', { b: 1 }], none: null };
  const text = await writeTable({ columns: ['id', 'text'], answerColumns: ['label', 'score', 'urgent', 'items', 'none', 'absent'] }, [
    finished(['1', 'Fine, "really"\nfine'], answer),
  ]);
  assert.equal(
    text,
    `id,text,label,score,urgent,items,none,absent,${SIDECAR}\n1,"Fine, ""really""\nfine",positive,-0.5,true,"[""a"",{""b"":1}]",,,ok,,new,1,gpt-4o-mini-2024-07-18,23,0,5,0,0.000003225,req_1\n`,
  );
});

test('failed, skipped and pending rows are marked and have no answer', async () => {
  const nothing = { attempts: 0, model: null, requestId: null, costNanoUsd: 0 };
  const text = await writeTable({ columns: ['id'], answerColumns: ['label'] }, [
    finished(['1'], undefined, {
      disposition: { status: 'failed', cause: 'invalid', message: 'no "label"' },
      costNanoUsd: null,
      attempts: 3,
    }),
    finished(['2'], undefined, {
      disposition: { status: 'skipped', cause: 'empty', message: 'every templated cell is empty' },
      ...nothing,
    }),
    finished(['3'], undefined, { disposition: { status: 'pending' }, ...nothing }),
  ]);
  const records = parse(text, { columns: true }) as Record<string, string>[];
  assert.deepEqual(
    records.map((record) => [record._status, record._error, record._source, record.label, record._attempts, record._cost_usd]),
    [
      ['failed', 'invalid: no "label"', '', '', '3', ''],
      ['skipped', 'empty: every templated cell is empty', '', '', '0', '0.000000000'],
      ['pending', '', '', '', '0', '0.000000000'],
    ],
  );
});

test('without answer columns the whole answer is one column', async () => {
  assert.match(await writeTable({ columns: ['id'] }, [finished(['1'], 'plain text')]), /^id,answer,_status.*\n1,plain text,ok/);
  assert.match(await writeTable({ columns: ['id'] }, [finished(['1'], { a: 1 })]), /\n1,"{""a"":1}",ok/);
});

test('every column of ours gets the prefix, and kept columns are in the given order', async () => {
  const text = await writeTable({ columns: ['a', 'b', 'c'], keep: ['c', 'a'], prefix: 'llm_', answerColumns: ['label'] }, [
    finished(['1', '2', '3'], { label: 'x' }),
  ]);
  const [head = '', row = ''] = text.split('\n');
  assert.equal(
    head,
    `c,a,llm_label,${SIDECAR.split(',')
      .map((name) => `llm_${name}`)
      .join(',')}`,
  );
  assert.ok(row.startsWith('3,1,x,ok,'));
});

test('a simulated table says so in each row, in a last column that others do not have', async () => {
  const csv = await writeTable({ columns: ['id'], simulated: true, prefix: 'p_' }, [finished(['1'], 'x')]);
  assert.match(csv, /,p__request_id,p__simulated\n1,.*,true\n$/);
  const jsonl = await writeTable({ columns: ['id'], simulated: true, format: 'jsonl' }, [finished(['1'], 'x')]);
  assert.equal((JSON.parse(jsonl) as Record<string, unknown>)._simulated, true);
});

test('any text is read back from CSV unchanged, in order, in any number of rows', async () => {
  const cell = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('', ' ', '\r', '\n', '\r\n', '"', '""', ',', ' a ', '\ufeff', '=1+1', '\t', "'", 'null'),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(cell, cell, cell), { maxLength: 150 }), fc.boolean(), async (rows, excelLineEnds) => {
      const clean = rows.map(([a, b, c]) => (excelLineEnds ? [`x${a}`, `x${b}`, `x${c}`] : [a, b, c]));
      const text = await writeTable(
        { columns: ['a', 'b'], answerColumns: ['c'], excel: excelLineEnds },
        clean.map(([a, b, c]) => finished([a, b], { c })),
      );
      const records = parse(text, { columns: true, bom: excelLineEnds }) as Record<string, string>[];
      assert.deepEqual(
        records.map(({ a, b, c }) => [a, b, c]),
        clean,
      );
    }),
    { numRuns: runsOf(60) },
  );
});

test('a spreadsheet sees no formulas, and its numbers stay numbers', async () => {
  const numbers = ['-5', '+4.5e3', '-0.5', '-1,234.50', '-1.234,50', '+12%', '-.5', '-1e-9'];
  const formulas = ['=HYPERLINK("x")', '+1-1', '-cmd', '@x', '\t=1', '\r=1', '\n=1', '＝1', '-1+A1', '=1', "-2+cmd|' /C calc'!A0", '+'];
  const texts = [...formulas, ...numbers, 'a=b', "'", ''];
  const text = await writeTable(
    { columns: ['=text'], excel: true, answerColumns: ['score', 'note'] },
    texts.map((value) => finished([value], { score: -1.5, note: '=A1' }, { model: '@model', requestId: '-request' })),
  );
  assert.ok(text.startsWith("\ufeff'=text,score,note,") && text.endsWith('\r\n'));
  const records = parse(text, { columns: true, bom: true }) as Record<string, string>[];
  assert.deepEqual(
    records.map((record) => record["'=text"]),
    [...formulas.map((formula) => `'${formula}`), ...numbers, 'a=b', "'", ''],
  );
  const others = records.map(({ score, note, _model, _request_id }) => [score, note, _model, _request_id]);
  assert.deepEqual(new Set(others.map((cells) => cells.join(' '))), new Set(["-1.5 '=A1 '@model '-request"]));
});

test('a JSONL row keeps the record unchanged, including keys without a column and dangerous names, with numbers as numbers', async () => {
  const record = Object.assign(
    Object.create(null),
    JSON.parse('{"id":7,"__proto__":{"x":1},"extra":[1,null],"text":"ä\\u2028"}'),
  ) as Record<string, unknown>;
  Object.defineProperty(record, '__proto__', { value: { x: 1 }, enumerable: true });
  const row = { index: 0, file: 'in.jsonl', line: 1, cells: [7, 'ä\u2028'], record, key: null };
  const text = await writeTable({ format: 'jsonl', columns: ['id', 'text'], answerColumns: ['score', 'absent'] }, [
    finished([], { score: 0.25 }, { row }),
    finished([], undefined, { row, costNanoUsd: null, model: null, disposition: { status: 'failed', cause: 'refused', message: 'no' } }),
  ]);
  const [first = '', second = ''] = text.split('\n');
  assert.ok(
    first.startsWith(
      `${JSON.stringify(record).slice(0, -1)},"score":0.25,"absent":null,"_status":"ok","_error":null,"_source":"new","_attempts":1,`,
    ),
  );
  assert.ok(first.includes('"_input_tokens":23,') && first.endsWith('"_cost_usd":0.000003225,"_request_id":"req_1"}'));
  assert.ok(
    second.includes('"_error":"refused: no","_source":null') && second.includes('"_cost_usd":null') && second.includes('"_model":null'),
  );
  for (const line of [first, second]) JSON.parse(line);
});

test('a JSONL table from CSV has the columns as strings, and only the named columns of a record on request', async () => {
  const plain = await writeTable({ format: 'jsonl', columns: ['__proto__', 'n'] }, [finished(['x', '1'], 'y')]);
  assert.ok(plain.startsWith('{"__proto__":"x","n":"1","answer":"y",'));
  const row = {
    index: 0,
    file: 'in.jsonl',
    line: 1,
    cells: [1, undefined, { deep: true }],
    record: { a: 1, c: { deep: true }, d: 4 },
    key: null,
  };
  const named = await writeTable({ format: 'jsonl', columns: ['a', 'b', 'c'], keep: ['c', 'b'] }, [finished([], 'y', { row })]);
  assert.ok(named.startsWith('{"c":{"deep":true},"answer":"y",'));
  const empty = await writeTable({ format: 'jsonl', columns: [], keep: [] }, [finished([], 'y')]);
  assert.ok(empty.startsWith('{"answer":"y",'));
});

test('a record whose key clashes with a column of ours stops the table instead of losing one of the two', async () => {
  const row = { index: 3, file: 'in.jsonl', line: 4, cells: [1], record: { a: 1, _status: 'mine' }, key: null };
  await assert.rejects(writeTable({ format: 'jsonl', columns: ['a'] }, [finished([], 'y', { row })]), {
    code: 'column_clash',
    message: /in\.jsonl:4: .*"_status"/,
  });
});
