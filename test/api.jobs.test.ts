import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { defineJob, type RunProgress, type StandardSchema, UsageError } from '../src/index.ts';
import { collect, makeFolder } from './helpers/api-world.ts';
import { projectRoot } from './helpers/project-root.ts';
import { ANSWER_COLUMNS, makeWorld } from './helpers/run-world.ts';
import { wideTest } from './helpers/wide.ts';

const TICKETS = 'ticket_id,body\n1,Charged twice\n2,"It {{ crashes }}, ""again"""\n3,Dark mode please\n4,Charged twice\n5,\n';

wideTest('the example of the README compiles and runs unchanged', (t) => {
  const name = 'readme-example';
  const example = fs.readFileSync(path.join(projectRoot, 'test', 'helpers', `${name}.ts`), 'utf8');
  const shown = /```ts\n(import \{ defineJob[\s\S]*?)```/.exec(fs.readFileSync(path.join(projectRoot, 'README.md'), 'utf8'))?.[1];
  assert.equal(shown, example.replace("'../../src/index.ts'", "'rowmill'"));
  const program = fileURLToPath(new URL(`./helpers/${name}.js`, import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [program], {
    cwd: makeFolder(t, { 'tickets.csv': TICKETS }),
    encoding: 'utf8',
  });
  // Row 5 is empty: it is skipped, and the run says so by its exit code.
  assert.deepEqual([status, stderr.split('\n').at(-2)], [3, '3/3'], stderr);
  const [plan, ...rows] = stdout.trimEnd().split('\n');
  assert.match(plan ?? '', /^3 rows to ask, about \$0\.0+[1-9]\d*$/);
  assert.equal(rows.length, 4);
  for (const [index, row] of rows.entries()) assert.match(row, new RegExp(`^${index + 1} (billing|bug|other) [\\d.]+$`));
});

wideTest('a prompt function makes the same requests as the template of a job file: answers are shared', async (t) => {
  const world = await makeWorld(t, {});
  const { summary } = await world.run();
  const paid = summary.cost.nanoUsd;
  const job = defineJob({
    name: 'proof',
    directory: world.directory,
    input: { path: 'in.csv', columns: ['id', 'text'], id: 'id' },
    model: 'gpt-4o-mini',
    prompt: (row) => `Label and summarize, reply in JSON: ${row.text}`,
    output: { label: 'good | bad | other', summary: 'string' },
    params: { max_output_tokens: 100 },
    write: { path: 'out.csv' },
  });
  const plan = await job.plan({ simulate: true });
  assert.deepEqual([plan.rows.reused, plan.rows.new], [12, 0]);
  const run = await job.run({ simulate: true });
  assert.deepEqual(
    [run.summary.exitCode, run.summary.rows.reused, run.summary.attempts.total, run.summary.ledger.nanoUsd],
    [0, 12, 0, paid],
  );
  const results = await collect(run.results());
  assert.deepEqual(
    results.map(({ row, disposition, costNanoUsd }) => [row.id, disposition, costNanoUsd]),
    Array.from({ length: 12 }, (_, index) => [`r${index + 1}`, 'ok', 0]),
  );
  for (const { output } of results) assert.deepEqual(Object.keys(output ?? {}), ANSWER_COLUMNS);
});

test('rows are skipped if the function returns null or throws; text that looks like a template is text', async (t) => {
  const directory = makeFolder(t, { 'tickets.csv': TICKETS });
  const progress: RunProgress[] = [];
  const job = defineJob({
    name: 'own-words',
    directory,
    input: { path: 'tickets.csv', columns: ['ticket_id', 'body'] },
    model: 'gpt-6-luna',
    mode: 'live',
    prompt: ({ ticket_id, body }) => {
      if (ticket_id === '3') throw new Error('no words for this');
      return ticket_id === '4' ? null : body;
    },
    output: 'text',
    fail_if: { skipped_rows: '> 3' },
  });
  assert.match(JSON.stringify((await job.plan({ simulate: true, limit: 2 })).firstRequest), /Charged twice/);
  const run = await job.run({ simulate: true, onProgress: (now) => progress.push(now) });
  const results = await collect(run.results());
  const ends = results.map((result) => ('cause' in result ? `${result.cause}: ${result.message}` : result.disposition));
  assert.deepEqual(ends, [
    'ok',
    'ok',
    'unrenderable: no words for this',
    'empty: the prompt function returned nothing for this row',
    'empty: the prompt function returned nothing for this row',
  ]);
  assert.equal(
    results.reduce((sum, { costNanoUsd }) => sum + (costNanoUsd ?? Number.NaN), 0),
    run.summary.cost.nanoUsd,
  );
  assert.equal(progress.at(-1)?.okRequests, 2);
  assert.equal(progress.at(-1)?.spentNanoUsd, run.summary.cost.nanoUsd);
});

test('a function returns at most as many images as the job allows, and a budget reserves them', async (t) => {
  const directory = makeFolder(t, { 'in.csv': 'file\nhouse.png\n../boat.png\n' });
  fs.mkdirSync(path.join(directory, 'photos'));
  for (const to of ['photos/house.png', 'boat.png'])
    fs.copyFileSync(path.join(projectRoot, 'fixtures/photos/boat.png'), path.join(directory, to));
  const define = (most: number) =>
    defineJob({
      name: 'photos',
      directory: path.join(directory, 'photos'),
      input: { path: '../in.csv', columns: ['file'] },
      model: 'gpt-4.1-mini',
      mode: 'live',
      prompt: (row) => ({ user: 'What is it?', images: [row.file] }),
      max_images: most,
      output: 'text',
      params: { max_output_tokens: 50 },
      budget: { usd: 0.0008 },
    });
  const without = await define(0).plan({ simulate: true });
  assert.deepEqual(without.skipped, { unrenderable: 2 });
  const plan = await define(1).plan({ simulate: true });
  // The other picture lies outside the job's folder.
  assert.deepEqual([plan.skipped, plan.rows.new], [{ unrenderable: 1 }, 1]);
  const { summary } = await define(1).run({ simulate: true });
  assert.deepEqual(
    [summary.exitCode, summary.rows.pending, summary.cost.nanoUsd],
    [5, 1, 0],
    'the picture could cost more than the budget',
  );
});

/** Accepts scores up to a bound, and doubles them: what a library's transform and refine do. */
function makeScoreSchema(most: number, withJsonSchema: boolean): StandardSchema<{ score: number }> {
  const properties = { score: { type: 'number', minimum: 0, maximum: 1 } };
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => {
        const { score } = value as { score?: unknown };
        if (typeof score === 'number' && score <= most) return { value: { score: score + 10 } };
        return { issues: [{ message: `at most ${most}`, path: [{ key: 'score' }] }] };
      },
      ...(withJsonSchema
        ? { jsonSchema: { input: () => ({ type: 'object', properties, required: ['score'], additionalProperties: false }) } }
        : {}),
    },
  };
}

wideTest('a schema of a validation library shapes the request and validates the answers', async (t) => {
  const directory = makeFolder(t, { 'in.csv': 'text\nfine\nawful\n' });
  const define = (most: number, withJsonSchema = true) =>
    defineJob({
      name: 'scores',
      directory,
      input: { path: 'in.csv', columns: ['text'] },
      model: 'gpt-4o-mini',
      mode: 'live',
      prompt: (row) => `Score, as JSON: ${row.text}`,
      output: makeScoreSchema(most, withJsonSchema),
      retry: { attempts: 2 },
    });
  const request = async (withJsonSchema: boolean) => (await define(1, withJsonSchema).plan({ simulate: true })).firstRequest;
  assert.match(JSON.stringify(await request(true)), /"json_schema".*"maximum":1/);
  assert.match(JSON.stringify(await request(false)), /"response_format":\{"type":"json_object"\}/);

  const run = await define(1).run({ simulate: true });
  assert.equal(run.summary.rows.ok, 2);
  for (const { output } of await collect(run.results())) assert.ok((output?.score ?? 0) >= 10, 'the transform was applied');
  // Under a stricter schema the stored answers are judged again, at no cost.
  const stricter = await define(-1).run({ simulate: true });
  assert.deepEqual([stricter.summary.exitCode, stricter.summary.causes, stricter.summary.attempts.total], [3, { invalid: 2 }, 0]);
  const [first] = await collect(stricter.results());
  assert.match(first?.disposition === 'failed' ? first.message : '', /^score: at most -1/);
});

test('all problems of a definition are reported together', () => {
  const define = () => defineJob({ name: 'no spaces', input: { path: 'in.csv' }, model: '', prompt: 'x', output: 'text' });
  assert.throws(define, (error: unknown) => error instanceof UsageError && error.problems.length === 2);
  const withExamples = {
    name: 'x',
    input: { path: 'in.csv' },
    model: 'gpt-4o-mini',
    output: 'text',
    examples: { path: 'gold.csv' },
  } as const;
  assert.throws(() => defineJob({ ...withExamples, prompt: () => 'x' }), /a prompt function can include its own/);
});

test('a signal stops the run with its books in order, and the next run continues', async (t) => {
  const directory = makeFolder(t, { 'tickets.csv': TICKETS });
  const job = defineJob({
    name: 'stopped',
    directory,
    input: { path: 'tickets.csv', columns: ['body'] },
    model: 'gpt-4o-mini',
    mode: 'live',
    prompt: (row) => row.body,
    output: 'text',
  });
  const stopped = await job.run({ simulate: true, signal: AbortSignal.abort() });
  assert.equal(stopped.summary.exitCode, 130);
  assert.ok((await collect(stopped.results())).some(({ disposition }) => disposition === 'pending'));
  const again = await job.run({ simulate: true });
  assert.deepEqual([again.summary.run, again.summary.rows.ok, again.summary.rows.pending], [stopped.summary.run, 4, 0]);
});
