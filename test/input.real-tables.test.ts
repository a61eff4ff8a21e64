import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { stringifyExactly } from '../src/core/exact/exact-number.ts';
import { compileJob } from '../src/input/compile-job.ts';
import { makeJob } from '../src/input/job/make-job.ts';
import { openTable } from '../src/input/table/open-table.ts';
import { projectRoot } from './helpers/project-root.ts';

const data = path.resolve(projectRoot, '..', 'shared', 'data');
const skip = fs.existsSync(data) ? false : 'the folder of real tables is not beside this checkout';
const { signal } = new AbortController();

/** File, rows as counted by its README, a prompt over it, rows that have nothing to send. */
const TABLES: readonly [file: string, rows: number, prompt: string, empty: number][] = [
  ['banking77-train.csv', 10_003, '{{ text }}', 0],
  ['banking77-test.csv', 3_080, '{{ text }}', 0],
  ['clothing-reviews.csv', 1_000, '{{ row["Review Text"] }}', 42],
  ['product-review-sentences.csv', 3_708, '{{ TEXT-SNIPPET }}', 0],
  ['tweets-sentiment.csv', 4_200, '{{ row["TWEET-TEXT"] }}', 0],
  ['sms-spam.csv', 5_574, '{{ SMS }}', 0],
  ['paper-abstracts.jsonl', 1_200, '{{ title }}: {{ source | join: " " }}', 0],
  ['contract-clauses.jsonl', 446, '{{ original_text }}', 0],
  ['meeting-transcripts.jsonl', 20, '{% for turn in meeting_transcripts %}{{ turn.speaker }}: {{ turn.content }}\n{% endfor %}', 0],
  ['news-ja.csv', 1_500, '{{ article }}', 0],
  ['tweets-african-languages.csv', 6_000, '{{ tweet }}', 0],
  ['cause-effect-zh.jsonl', 500, '{{ premise }} {{ choice1 }} {{ choice2 }}', 0],
  ['math-questions-zh.csv', 250, '{{ question }}', 0],
  ['math-questions-ja.csv', 250, '{{ question }}', 0],
];

for (const [file, expectedRows, prompt, expectedEmpty] of TABLES) {
  test(`${file} is read row by row, and every row renders`, { skip }, async () => {
    const job = makeJob({ name: 'j', input: { path: file }, model: 'gpt-4o-mini', output: 'text', prompt }, { directory: data });
    const table = await openTable(job.input, { cwd: data, signal });
    const compiled = compileJob({ job }, table);
    const text = fs.readFileSync(path.join(data, file), 'utf8');
    const lines = text.split('\n');
    let rows = 0;
    let empty = 0;
    const hash = createHash('sha256');
    for await (const chunk of table.readRows(signal)) {
      for (const row of chunk) {
        rows++;
        hash.update(JSON.stringify(row.record === null ? row.cells : JSON.parse(stringifyExactly(row.record))));
        const start = String(Object.values(row.record ?? row.cells)[0]).split('\n')[0] ?? '';
        if (row.record === null)
          assert.ok(lines[row.line - 1]?.replaceAll('""', '"').includes(start), `row ${rows} does not start on line ${row.line}`);
        const rendered = compiled.render(row);
        if (rendered.status === 'skipped') assert.equal(rendered.cause, 'empty');
        if (rendered.status === 'skipped') empty++;
      }
    }
    assert.equal(rows, expectedRows);
    assert.equal(empty, expectedEmpty);
    assert.equal(hash.digest('hex'), hashIndependently(file, text));
  });
}

function hashIndependently(file: string, text: string): string {
  const hash = createHash('sha256');
  const records: unknown[] = file.endsWith('.csv')
    ? parse(text, { record_delimiter: ['\r\n', '\n'] }).slice(1)
    : text
        .split(/\r?\n/)
        .filter(Boolean)
        .map((line) => JSON.parse(line) as unknown);
  for (const record of records) hash.update(JSON.stringify(record));
  return hash.digest('hex');
}
