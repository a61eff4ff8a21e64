import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findClosest } from '../src/core/wording/suggest.ts';
import { CANARY_KEY, createWorld, REVIEW_JOB, REVIEWS } from './helpers/command-line.ts';
import { someOf } from './helpers/wide.ts';

/** Something wrong that a person types: how it ends, and the words that help. */
interface Wrong {
  readonly type: readonly string[];
  readonly says: RegExp;
  /** 2 unless told. */
  readonly exitCode?: number;
  readonly env?: Readonly<Record<string, string>>;
}

const KEY = { OPENAI_API_KEY: CANARY_KEY };
const ask = (...flags: readonly string[]) => ['run', 'reviews.csv', '--prompt', 'Is it good?', ...flags];

const WRONG: Readonly<Record<string, readonly Wrong[]>> = {
  flags: [
    { type: ['run', 'reviews.csv', '--promt', 'Is it good?'], says: /Did you mean --prompt\?/ },
    { type: ask('--ouput', 'text'), says: /Did you mean --output\?/ },
    { type: ['run', 'job.yaml', '--simulat'], says: /Did you mean --simulate\?/ },
    { type: ['run', 'job.yaml', '--zzz'], says: /unknown option '--zzz'\n\(rowmill run --help lists the options\)/ },
    { type: ['prices', 'gpt-9'], says: /^no price is known for gpt-9 on \S+; rowmill prices lists the known models$/m },
    { type: ['run', 'job.yaml', '--limit', 'many'], says: /Give a whole number, for example 100/ },
    { type: ['run', 'job.yaml', '--limit', '0'], says: /Give a number above 0/ },
    { type: ['run', 'job.yaml', '--max-usd', 'five'], says: /Give a number from 0 on, for example 2\.50/ },
    { type: ['plan', 'job.yaml', '--max-usd=-3'], says: /Give a number from 0 on, for example 2\.50/ },
    { type: ['run', 'job.yaml', '--wait', 'soon'], says: /Give a time, for example 90s, 30m or 6h/ },
    { type: ['run', 'job.yaml', '--mode', 'bach'], says: /Allowed choices are batch, live, flex, auto/ },
    { type: ['run', 'job.yaml', '--price-as-of', '2026-02-30'], says: /Give a date, for example 2026-11-22/ },
    { type: ['run', 'job.yaml', '--limit', '5', '--sample', '5'], says: /cannot be used with option '--sample/ },
    { type: ['run', 'job.yaml', '--deadline', '6h'], says: /add --max-live-usd/ },
    { type: ask('--labels', 'bug'), says: /Give two or more, for example 'bug, question, other'/ },
    { type: ask('--labels', 'bug, bug'), says: /"bug" occurs twice/ },
    { type: ask('--output', 'sentiment'), says: /--output 'sentiment: string'/ },
    { type: ask('--output', 'answers.csv'), says: /the table goes to --out answers\.csv/ },
    { type: ask('--output', 'good | bad'), says: /name the field: --output 'answer: good \| bad'/ },
    { type: ask('--output', 'rating: strng'), says: /^--output rating: unknown type "strng".*Did you mean "string"\?$/m },
    { type: ask('--output', 'rating: label'), says: /label needs the key labels/ },
    { type: ['run', 'reviews.csv', '--prompt', ' '], says: /--prompt: is empty; say what to do with each row/ },
    { type: ['run', 'reviews.csv', '--output', 'text'], says: /--prompt is missing; say what to do/ },
    { type: ['run', 'job.yaml', '--prompt', 'Is it good?'], says: /job\.yaml is a job file, which has its own prompt and output/ },
    { type: ask('--out', '--simulate'), says: /option '--out <path>' argument missing before --simulate/ },
    { type: ['run', 'reviews.csv', '--prompt', '--simulate'], says: /option '--prompt <text>' argument missing before --simulate/ },
    { type: ['run', 'job.yaml', '--base-url', ''], says: /option '--base-url <url>' argument is empty/ },
    { type: ['run', 'job.yaml', '--state-dir', ' '], says: /option '--state-dir <dir>' argument is empty/ },
    { type: ['run', 'job.yaml', '-limit', '5'], says: /Did you mean --limit\?/ },
    { type: ['run', 'reviews.csv', '-p', 'Is it good?'], says: /Did you mean --prompt or / },
    { type: ['-v'], says: /Did you mean --version\?/ },
    { type: ['simulate', '--port', '99999'], says: /Give a port from 0 to 65535/ },
    { type: ask('--output', 'rating: int'), says: /Did you mean "integer"\?$/m },
    { type: ask('--output', 'good: Bool'), says: /Did you mean "boolean"\?$/m },
    { type: ask('--output', 'tags: array'), says: /Did you mean "string\[\]"\?$/m },
    {
      type: ['run', 'reviews.csv', '--prompt', '@prompt.txt'],
      says: /takes the text itself, not a file; .*--prompt "\$\(cat prompt\.txt\)"/,
    },
    { type: ['run', 'reviews.csv', '--prompt', 'notes.md'], says: /takes the text itself, not a file/ },
    { type: ['run', 'reviews.cvs', '--prompt', 'Is it good?'], says: /^reviews\.cvs: no such file\. Did you mean "reviews\.csv"\?$/m },
    { type: ask('--input', 'other.csv'), says: /--input: goes with a job file; the table is reviews\.csv/ },
  ],
  commands: [
    { type: ['rnu', 'job.yaml'], says: /Did you mean run\?/ },
    { type: ['help', 'nope'], says: /unknown command 'nope'/ },
    { type: ['run', ''], says: /the name of a job or a table is empty/ },
    { type: [''], says: /^error: unknown command ''$/m },
    { type: ['ls'], says: /Did you mean status\?/ },
    { type: ['version'], says: /Did you mean --version\?/ },
    { type: ['resume', 'job.yaml'], says: /Did you mean run\?/ },
    {
      type: ['run', 'reviews.csv', 'Is it good?'],
      says: /put the question about a table after --prompt: rowmill run reviews\.csv --prompt/,
    },
    { type: ['diff', 'job.yaml'], says: /a job file and two runs: rowmill diff job\.yaml prev last/ },
    { type: ['diff'], says: /a job file and two runs: rowmill diff columns\.yaml prev last/ },
    { type: ['completion'], says: /bash, zsh or fish/ },
    { type: ['run'], says: /a job file, or a table: rowmill run reviews\.csv --prompt/ },
    { type: ['reviews.csv'], says: /say what to ask of each row: rowmill run reviews\.csv --prompt '.*' --simulate/ },
    { type: ['reviews.csv', '--prompt', 'Is it good?'], says: /rowmill run reviews\.csv --prompt/ },
    { type: ['job.yaml'], says: /job\.yaml is a job file; say what to do with it: rowmill plan job\.yaml/ },
    { type: ['run', 'reviews.csv'], says: /say what to ask of each row: rowmill run reviews\.csv --prompt/ },
    { type: ['status', 'reviews.csv'], says: /reviews\.csv is a table, and status takes a job file/ },
    { type: ['failures', 'tickets.csv', '--simulate'], says: /rowmill failures tickets\.yaml --simulate$/m },
    { type: ['init', 'job.yaml'], says: /job\.yaml is a job file already: rowmill plan job\.yaml/ },
    { type: ['init', 'tickets'], says: /tickets\.yaml exists already/ },
    { type: ['status', 'job.yaml'], says: /reviews has not been run/ },
  ],
  files: [
    { type: ['run', 'revews.csv', '--prompt', 'Is it good?'], says: /revews\.csv: no such table\. Did you mean "reviews\.csv"\?/ },
    { type: ['run', 'jop.yaml'], says: /jop\.yaml: no such job file\. Did you mean "job\.yaml"\?/ },
    { type: ['retry', 'nothing.yaml'], says: /^nothing\.yaml: no such job file; its folder has \S+\.yaml, /m },
    { type: ['run', 'job'], says: /job: no such job file\. Did you mean "job\.yaml"\?/ },
    { type: ['run', 'data'], says: /data: is a folder; name a file in it: rowmill run data\/march\.csv/ },
    { type: ['plan', 'empty'], says: /empty: is a folder, without a table or a job file in it; rowmill init my-job/ },
    { type: ['run', 'no-*.csv', '--prompt', 'Is it good?'], says: /no file matches/ },
    { type: ['run', '-', '--prompt', 'Is it good?'], says: /standard input needs a job file: / },
    { type: ['run', '*.yml'], says: /\*\.yml: no such job file/ },
    {
      type: ['run', 'https://example.org/a.csv', '--prompt', 'Is it good?'],
      says: /is a URL, and only files are read; download it first: curl -LO https:\/\/example\.org\/a\.csv$/m,
    },
    {
      type: ['plan', 'job.yaml', '--input', 's3://bucket/a.csv'],
      says: /s3:\/\/bucket\/a\.csv: is a URL, and only files are read; download it first$/m,
    },
    { type: ['plan', 'job.yaml', '--input', 'job.yaml'], says: /job\.yaml: is a job file \(YAML\), not a table/ },
    {
      type: ['run', 'notes.md', '--prompt', 'Is it good?'],
      says: /neither a job file \(YAML\) nor a table \(CSV, TSV, JSONL, JSON, Parquet, Excel\)/,
    },
  ],
  formats: [
    {
      type: ['run', 'paper.pdf', '--prompt', 'Is it good?'],
      says: /paper\.pdf: is a PDF, which cannot be read; put its text into a table first/,
    },
    {
      type: ['init', 'book.xlsx'],
      says: /book\.xlsx: is not a complete workbook \(.*\); was it copied or written completely\?/,
    },
    { type: ['init', 'rows.parquet'], says: /rows\.parquet: does not end like a Parquet file; was it copied or written completely\?/ },
    { type: ['init', 'login.csv'], says: /is a web page \(HTML\).*download the table itself/ },
    { type: ['init', 'nothing.csv'], says: /nothing\.csv: is empty/ },
    { type: ['init', 'header.csv'], says: /header\.csv: no rows/ },
    { type: ['plan', 'table.yaml'], says: /^\d+ more of this kind in table\.yaml$/m },
  ],
  columns: [
    {
      type: ['plan', 'reviews.csv', '--prompt', '{{ txt }}'],
      says: /^--prompt: no column "txt" in reviews\.csv\..*Did you mean "text"\?/m,
    },
    {
      type: ['plan', 'reviews.csv', '--prompt', '{{ the text }}'],
      says: /a column with such a name is written \{\{ row\["the text"\] \}\}/,
    },
    { type: ['plan', 'reviews.csv', '--prompt', '{{ text '], says: /^--prompt: .*\{\{ text/m },
    { type: ['plan', 'columns.yaml'], says: /^columns\.yaml:2:\d+ {2}input\.id: no column "idd".*Did you mean "id"\?/m },
    { type: ['plan', 'keys.yaml'], says: /^keys\.yaml:\d+:\d+ {2}modle: unknown key\. Did you mean "model"\?/m },
  ],
  models: [
    { type: ask('--model', ' '), says: /--model: is empty; name one, for example gpt-6-luna/ },
    {
      type: ask('--model', 'gpt-6-lunaa', '--simulate'),
      exitCode: 4,
      says: /does not offer gpt-6-lunaa to this key.*Did you mean "gpt-6-luna"\?/,
    },
  ],
  keys: [
    { type: ['run', 'job.yaml', '--yes'], exitCode: 4, says: /no API key: set OPENAI_API_KEY .*--simulate/ },
    { type: ['run', 'job.yaml', '--yes'], env: { OPENAI_API_KEY_FILE: 'no-such-key' }, exitCode: 4, says: /no-such-key/ },
    { type: ['run', 'job.yaml', '--api-key', CANARY_KEY], says: /unknown option '--api-key'/ },
  ],
  addresses: [
    {
      type: ['run', 'job.yaml', '--base-url', 'localhost:8000/v1'],
      says: /is not a URL; use for example --base-url http:\/\/localhost:8000\/v1/,
    },
    { type: ['run', 'job.yaml', '--base-url', 'ftp://example.org/v1'], says: /must begin with https:\/\/ or http:\/\// },
    {
      type: ['run', 'job.yaml', '--base-url', 'https://example.org/v1/chat/completions'],
      says: /leave out the path of the call; use --base-url https:\/\/example\.org\/v1$/m,
    },
    { type: ['run', 'job.yaml', '--base-url', 'http://example.org/v1'], env: KEY, says: /rows and key go over https only/ },
    {
      type: ['run', 'job.yaml', '--base-url', `https://${CANARY_KEY}@example.org/v1`],
      says: /a key does not belong in the URL; set OPENAI_API_KEY/,
    },
    { type: ['run', 'job.yaml', '--redis', 'redis://127.0.0.1:6379', '--simulate'], says: /start "rowmill simulate --port 8089"/ },
  ],
};

const TWO_COLUMNS = 'id,text\n1,a\n';
const world = createWorld({
  'reviews.csv': REVIEWS,
  'tickets.csv': REVIEWS,
  'tickets.yaml': REVIEW_JOB.replaceAll('reviews', 'tickets'),
  'job.yaml': REVIEW_JOB,
  'columns.yaml': REVIEW_JOB.replace('id: id', 'id: idd'),
  'keys.yaml': REVIEW_JOB.replace('model:', 'modle:'),
  'table.yaml': `${'a: b: c: d\n  "x\n'.repeat(20)}`,
  'notes.md': '# Notes\n\nNothing here.\n',
  'paper.pdf': '%PDF-1.7\n',
  'book.xlsx': 'PK\u0003\u0004 [Content_Types].xml xl/workbook.xml',
  'rows.parquet': 'PAR1\u0000\u0001',
  'login.csv': '\n<!DOCTYPE html>\n<html></html>\n',
  'nothing.csv': '',
  'header.csv': 'id,text\n',
  'ragged.csv': `${TWO_COLUMNS}2,b,c\n`,
  'quote.csv': 'id,text\n1,"a\n2,b\n',
  'broken.jsonl': '{"id": 1, "text": "a"}\n{"id": 2, "text": }\n',
});
mkdirSync(join(world.folder, 'data'));
mkdirSync(join(world.folder, 'empty'));
writeFileSync(join(world.folder, 'data', 'march.csv'), TWO_COLUMNS);
after(() => world.dispose());

/** As many lines as a sentence, what a flag's error adds to it, and that nothing was sent. */
const MOST_LINES = 3;

for (const [kind, wrongs] of Object.entries(WRONG)) {
  test(`mistakes in ${kind} are reported in one sentence, with what to type and without a stack`, async () => {
    for (const { type, says, exitCode = 2, env = {} } of someOf(wrongs, 4)) {
      const { stdout, stderr, ...ended } = await world.run(type, env);
      const typed = `rowmill ${type.join(' ')}\n${stderr}`;
      assert.equal(ended.exitCode, exitCode, typed);
      assert.match(exitCode === 2 ? stderr : stderr + stdout, says, typed);
      assert.doesNotMatch(stderr, /^\s+at .*[(/]/m, typed);
      assert.ok(!stderr.includes(CANARY_KEY) && !stdout.includes(CANARY_KEY), typed);
      if (exitCode === 2 && !type.includes('--json')) assert.equal(stdout, '', typed);
      if (exitCode === 2 && !type.includes('table.yaml')) assert.ok(stderr.trimEnd().split('\n').length <= MOST_LINES, typed);
    }
  });
}

test('more than forty mistakes are covered', () => {
  assert.ok(Object.values(WRONG).flat().length >= 40);
});

test('a suggestion is a name that may have been mistyped: another number, or one of two letters, is another name', () => {
  const models = ['gpt-5', 'gpt-4.1-mini', 'gpt-4o-mini', 'o4-mini'];
  const pairs = ['gpt-9', 'gpt-9-mini', 'gtp-5', 'gpt-41-mini', 'gpt-4o-mni', 'GPT 5'].map((typed) => [typed, findClosest(typed, models)]);
  assert.deepEqual(Object.fromEntries(pairs), {
    ...{
      'gpt-9': null,
      'gpt-9-mini': null,
      'gtp-5': 'gpt-5',
      'gpt-41-mini': 'gpt-4.1-mini',
      'gpt-4o-mni': 'gpt-4o-mini',
      'GPT 5': 'gpt-5',
    },
  });
  assert.deepEqual([findClosest('x', ['y']), findClosest('id', ['is']), findClosest('ID', ['id'])], [null, null, 'id']);
});
