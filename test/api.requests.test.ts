import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { defineJob } from '../src/index.ts';
import { collect, makeFolder } from './helpers/api-world.ts';

const LINES = ['one', 'two']
  .map((text) => {
    const body = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: `Say ${text} in JSON` }], max_tokens: 30 };
    return JSON.stringify({ custom_id: text, method: 'POST', url: '/v1/chat/completions', body });
  })
  .join('\n');

/** Never called: each line below a directive has to be an error, or compiling this file fails. */
export function wrongJobs(): void {
  const base = { name: 'typed', input: { path: 'in.jsonl', format: 'requests' } } as const;
  defineJob({ ...base, mode: 'batch' });
  // @ts-expect-error: a line says its own model
  defineJob({ ...base, model: 'gpt-4o' });
  // @ts-expect-error: a line says its own prompt
  defineJob({ ...base, prompt: 'Say' });
  // @ts-expect-error: a line names its own tier
  defineJob({ ...base, mode: 'flex' });
  // @ts-expect-error: no such column
  defineJob({ ...base, write: { keep: ['body'] } });
}

test('a program can run a file of Batch API requests, with typed rows and answers', async (t) => {
  const directory = makeFolder(t, { 'in.jsonl': LINES });
  const job = defineJob({
    name: 'requests',
    directory,
    input: { path: 'in.jsonl', format: 'requests' },
    mode: 'live',
    write: { path: 'out.csv' },
  });
  const { rows } = await job.plan({ simulate: true });
  assert.equal(rows.new, 2);
  const run = await job.run({ simulate: true });
  const results = await collect(run.results());
  const answers = results.map((result) => {
    const answer: string | undefined = result.output;
    return [result.row.custom_id, result.row.model, typeof answer];
  });
  assert.deepEqual(answers, [
    ['one', 'gpt-4o-mini', 'string'],
    ['two', 'gpt-4o-mini', 'string'],
  ]);
  assert.match(fs.readFileSync(path.join(directory, 'out.csv'), 'utf8'), /^custom_id,url,model,answer,_status,/);
});
