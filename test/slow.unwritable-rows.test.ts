import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { createWorld } from './helpers/command-line.ts';

const JOB = `name: rows
input: { path: rows.jsonl }
model: gpt-4o-mini
prompt: "Which sentiment? {{ a }}"
output: { sentiment: positive | negative }
params: { max_output_tokens: 50 }
write: { path: out.jsonl }
`;

const nest = (levels: number, open = '[', close = ']') => `${open.repeat(levels)}1${close.repeat(levels)}`;
/** Records enough that a key which comes later is in no header. */
const HEADER = Array.from({ length: 1000 }, (_, n) => `{"a":"row ${n}"}\n`).join('');

interface Case {
  readonly name: string;
  readonly table: string;
  readonly says: RegExp | null;
  readonly job?: string;
}

const CASES: readonly Case[] = [
  {
    name: 'lists in an unused column',
    table: `{"a":"x"}\n{"a":"y","b":${nest(5000)}}\n`,
    says: /^rows\.jsonl:2:1013 {2}.*nests deeper than 1000 levels$/,
  },
  { name: 'objects', table: `{"a":"y","b":${nest(5000, '{"c":', '}')}}\n`, says: /^rows\.jsonl:1:\d+ {2}.*deeper than 1000 levels$/ },
  { name: 'in the column that is asked about', table: `{"a":${nest(1001)}}\n`, says: /^rows\.jsonl:1:1005 {2}.*deeper/ },
  { name: 'one level above the limit', table: `{"a":${nest(1000)}}\n`, says: /^rows\.jsonl:1:1005 {2}.*deeper/ },
  { name: 'as deep as may be', table: `{"a":"x","b":${nest(999)}}\n`, says: null },
  { name: 'brackets that are text', table: `{"a":"${'['.repeat(3000)}"}\n`, says: null },
  {
    name: 'in an array over several lines',
    table: `[\n {"a":"x"},\n {"a":"y",\n  "b":${nest(1500)}}\n]`,
    says: /^rows\.jsonl:4:1006 {2}.*deeper/,
    job: JOB.replace('rows.jsonl }', 'rows.jsonl, format: json }'),
  },
  { name: 'half a character', table: '{"a":"x"}\n{"a":"x","b":"\\ud800"}\n', says: /^rows\.jsonl:2:14 {2}.*half of a character/ },
  { name: 'half a character in a key', table: '{"a":"x","\\udfff":1}\n', says: /^rows\.jsonl:1:10 {2}.*half of a character/ },
  { name: 'a whole character in two escapes', table: '{"a":"\\ud83d\\ude00"}\n', says: null },
  {
    name: 'a late key that is a column of ours',
    table: `${HEADER}{"a":"x","_status":"mine"}\n`,
    says: /^rows\.jsonl:1001:1 {2}the record has a key "_status"/,
  },
  {
    name: 'a late key that is a column of the answer',
    table: `${HEADER}{"a":"x","sentiment":"mine"}\n`,
    says: /^rows\.jsonl:1001:1 {2}the record has a key "sentiment"/,
  },
  {
    name: 'a late key of ours, in a table that does not carry it over',
    table: `${HEADER}{"a":"x","_status":"mine"}\n`,
    says: null,
    job: JOB.replace('out.jsonl', 'out.jsonl, keep: [a]'),
  },
  {
    name: 'a late key of ours, under another prefix',
    table: `${HEADER}{"a":"x","_status":"mine"}\n`,
    says: null,
    job: JOB.replace('out.jsonl', 'out.jsonl, prefix: llm_'),
  },
];

test('a row that a table cannot hold is refused with its place before anything is sent; any other is written', async (t) => {
  for (const format of ['jsonl', 'csv'] as const) {
    for (const { name, table, says, job = JOB } of CASES) {
      // Only a table of records carries keys over that are no columns.
      if (format === 'csv' && name.startsWith('a late key')) continue;
      await t.test(`${name}: ${format}`, async (t) => {
        const world = createWorld({ 'rows.jsonl': table, 'job.yaml': job.replace('out.jsonl', `out.${format}`) });
        t.after(() => world.dispose());
        for (const command of [
          ['plan', 'job.yaml'],
          ['run', 'job.yaml', '--simulate'],
        ]) {
          const { exitCode, stderr } = await world.run(command);
          if (says === null) {
            assert.equal(exitCode, 0, stderr);
            continue;
          }
          assert.equal(exitCode, 2, stderr);
          assert.match(stderr.split('\n')[0] ?? '', says);
          assert.deepEqual(fs.readdirSync(world.folder).sort(), ['job.yaml', 'rows.jsonl']);
        }
        if (says === null) assert.match(fs.readFileSync(path.join(world.folder, `out.${format}`), 'utf8'), /_status/);
      });
    }
  }
});
