import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { stringifyExactly } from '../src/core/exact/exact-number.ts';
import { parseExactly } from '../src/core/exact/parse-exactly.ts';
import { scanJson } from '../src/core/exact/scan-json.ts';
import type { FinishedRow } from '../src/core/finished-row.ts';
import type { Row } from '../src/core/row.ts';
import { NO_USAGE } from '../src/core/usage.ts';
import { compileJob } from '../src/input/compile-job.ts';
import { makeJob } from '../src/input/job/make-job.ts';
import { openTable } from '../src/input/table/open-table.ts';
import { createCsvFormat } from '../src/output/csv-format.ts';
import { createJsonlFormat } from '../src/output/jsonl-format.ts';
import { makeTableColumns } from '../src/output/table-columns.ts';
import { makeWorld } from './helpers/run-world.ts';
import { runsOf, wideTest } from './helpers/wide.ts';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
after(() => fs.rmSync(directory, { recursive: true }));
const { signal } = new AbortController();

/** JSON texts of cells, and what a prompt shows of each. */
const VALUES: readonly [json: string, text: string][] = [
  ...['9007199254740993', '-9223372036854775808', '18446744073709551616', '12345678901234567890.5', '123456789012345678'].map(same),
  ...['1.10', '1.0', '-0', '-0.0', '0.00', '100.00', '0.0000001', '0.30000000000000004', '1e400', '-1E5', '1e-400', '2.5e+3', '1e21'].map(
    same,
  ),
  ...['5', '0', '-3.25', '0.1', '9007199254740991', '1e+21', 'true', 'false'].map(same),
  ['null', ''],
  ['"1.10"', '1.10'],
  ['"-0 and 1.10, [1e400]"', '-0 and 1.10, [1e400]'],
  ['[ 1.10, {"a" : -0 , "b":["1.0", 1.0]}, null ]', '[1.10,{"a":-0,"b":["1.0",1.0]},null]'],
  ['{"deep":{"n":1e3,"s":"\\u00e9\\"1.50\\""}, "__proto__": 2.0}', '{"deep":{"n":1e3,"s":"é\\"1.50\\""},"__proto__":2.0}'],
];

function same(json: string): [string, string] {
  return [json, json];
}

const job = makeJob(
  { name: 'exact', input: { path: 'x' }, model: 'gpt-4o-mini', prompt: 'Say {{ a }}, {% if true %}{{ a }}{% endif %}', output: 'text' },
  { directory },
);

async function readRows(
  name: string,
  text: string,
): Promise<{ readonly columns: readonly string[]; readonly rows: readonly Row[]; keyOf(row: Row): string }> {
  const file = path.join(directory, name);
  fs.writeFileSync(file, text);
  const table = await openTable({ ...job.input, path: file }, { signal });
  const { render } = compileJob({ job }, table);
  const rows: Row[] = [];
  for await (const chunk of table.readRows(signal)) rows.push(...chunk);
  const keyOf = (row: Row) => {
    const rendered = render(row);
    return rendered.status === 'request' ? rendered.request.key : rendered.cause;
  };
  return { columns: table.columns, rows, keyOf };
}

function finish(row: Row): FinishedRow {
  const disposition = { status: 'pending' as const };
  return {
    row,
    disposition,
    answer: undefined,
    attempts: 0,
    model: null,
    usage: NO_USAGE,
    answerUsage: NO_USAGE,
    costNanoUsd: 0,
    requestId: null,
    key: null,
  };
}

test('values stay as the file has them, in prompts and in both formats of the table that is written', async () => {
  const lines = VALUES.map(([json], index) => `{"id":${index}, "a": ${json}}`);
  const jsonl = await readRows('t.jsonl', lines.join('\n'));
  const json = await readRows('t.json', `[${lines.join(',\n')}]`);
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const csv = await readRows('t.csv', `id,a\n${VALUES.map(([, text], index) => `${index},${quote(text)}`).join('\n')}\n`);
  const columns = makeTableColumns({ columns: jsonl.columns, keep: 'all', prefix: '', answerColumns: [], simulated: false });
  const shared = { columns, answerColumns: [], simulated: false };
  const formats = {
    csv: createCsvFormat({ ...shared, excel: false }),
    whole: createJsonlFormat({ ...shared, keepsRecord: true }),
    kept: createJsonlFormat({ ...shared, keepsRecord: false }),
  };
  for (const [index, [given, text]] of VALUES.entries()) {
    const [a, b, c] = [jsonl.rows[index], json.rows[index], csv.rows[index]] as [Row, Row, Row];
    assert.deepEqual([jsonl.keyOf(a), json.keyOf(b)], [csv.keyOf(c), csv.keyOf(c)], given);
    const compact = given.startsWith('"') ? given : text === '' ? 'null' : text;
    const cell = /[",]/.test(text) ? quote(text) : text;
    assert.ok(formats.csv.format([finish(a)]).startsWith(`${index},${cell},,pending`), given);
    for (const format of [formats.whole, formats.kept]) {
      const line = format.format([finish(a)]);
      assert.ok(line.startsWith(`{"id":${index},"a":${compact},"answer":null`), line);
      JSON.parse(line);
    }
  }
});

test('numbers compare and count in templates as the numbers they are', async () => {
  const prompt = '{% if a == 1.1 and a < 2 %}{{ a | times: 2 }} {{ a }}{% endif %}';
  const { render } = compileJob(
    { job: makeJob({ name: 'n', input: { path: 'x' }, model: 'gpt-4o-mini', prompt, output: 'text' }, { directory }) },
    { columns: ['a'], format: 'jsonl' },
  );
  const { rows } = await readRows('n.jsonl', '{"a":1.10}\n');
  const rendered = render(rows[0] as Row);
  assert.ok(rendered.status === 'request');
  assert.deepEqual(JSON.parse(rendered.request.body).messages, [{ role: 'user', content: '2.2 1.10' }]);
});

test('any JSON is written like JSON.stringify writes it, if all its numbers have that form', () => {
  const property = fc.property(fc.json({ maxDepth: 4 }), (text) => {
    const value: unknown = JSON.parse(text);
    const canonical = JSON.stringify(value);
    assert.equal(scanJson(` [${canonical}]`).hasOddNumber, false);
    assert.equal(stringifyExactly(parseExactly(canonical)), canonical);
  });
  fc.assert(property, { numRuns: runsOf(500) });
});

test('any number in any JSON is written back unchanged, apart from spaces', () => {
  const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,20})(\.\d{1,20})?([eE][+-]?\d{1,3})?$/);
  const property = fc.property(fc.array(digits, { minLength: 1 }), fc.constantFrom('', ' ', '\n\t'), (numbers, space) => {
    const text = `{"a":${space}[${numbers.join(`${space},${space}`)}${space}],"b":"${numbers[0]}"}`;
    const read: unknown = scanJson(text).hasOddNumber ? parseExactly(text) : JSON.parse(text);
    assert.equal(stringifyExactly(read), text.replaceAll(/[ \n\t]/g, ''));
  });
  fc.assert(property, { numRuns: runsOf(500) });
});

wideTest('the same rows in every text format have the same keys and answers: only the first is paid for', async (t) => {
  const world = await makeWorld(t);
  const rows = [
    ['r1', 'Grüße; "quoted", fine'],
    ['r2', 'two\nlines'],
    ['r3', '1.10'],
    ['r4', ' spaces around '],
  ] as const;
  const printed = (separator: string) => rows.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(separator)).join('\n');
  const records = rows.map(([id, text]) => `{"id":${JSON.stringify(id)},"text":${text === '1.10' ? text : JSON.stringify(text)}}`);
  const tables: Readonly<Record<string, string>> = {
    'in.csv': `id,text\n${printed(',')}\n`,
    'semicolons.csv': `\ufeffid;text\r\n${printed(';')}\r\n`,
    'tabs.tsv': `id\ttext\n${printed('\t')}\n`,
    'lines.jsonl': records.join('\n'),
    'list.json': `[${records.join(',')}]`,
    'reordered.csv': `sep=;\ntext;id\n${rows.map(([id, text]) => `"${text.replaceAll('"', '""')}";${id}`).join('\n')}\n`,
  };
  for (const [name, text] of Object.entries(tables)) world.write(name, text);
  const answers: string[][] = [];
  for (const name of Object.keys(tables)) {
    const { summary } = await world.run({
      overrides: { cwd: world.directory, input: world.path(name), out: world.path('out.jsonl'), mode: null },
    });
    assert.deepEqual([summary.rows.ok, summary.attempts.total], [4, name === 'in.csv' ? 4 : 0], name);
    answers.push(
      world
        .read('out.jsonl')
        .trim()
        .split('\n')
        .map((line) => JSON.stringify([JSON.parse(line).id, JSON.parse(line).summary])),
    );
  }
  for (const found of answers) assert.deepEqual(found, answers[0]);
});
