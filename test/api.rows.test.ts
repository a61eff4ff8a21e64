import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type TestContext, test } from 'node:test';
import { defineJob, UsageError } from '../src/index.ts';
import { collect, makeFolder } from './helpers/api-world.ts';
import { someOf, wideTest } from './helpers/wide.ts';

interface Ticket {
  readonly id: number;
  readonly body: string | null;
}

const TICKETS: readonly Ticket[] = [
  { id: 1, body: 'Charged twice' },
  { id: 2, body: 'It {{ crashes }},\n"again"' },
  { id: 3, body: null },
  { id: 4, body: 'Charged twice' },
];

async function* streamTickets(): AsyncGenerator<Ticket> {
  for (const ticket of TICKETS) {
    await new Promise(setImmediate);
    yield ticket;
  }
}

function define(t: TestContext, rows: unknown, directory = makeFolder(t, {})) {
  const job = defineJob({
    name: 'from-memory',
    directory,
    input: { rows: rows as AsyncIterable<Ticket>, columns: ['id', 'body'], id: 'id' },
    model: 'gpt-4o-mini',
    mode: 'live',
    prompt: (row) => row.body,
    output: 'text',
    write: { path: 'out.csv' },
    fail_if: { skipped_rows: '> 1' },
  });
  return { job, directory };
}

test('rows from memory are planned, run and read again although their source can be read only once', async (t) => {
  const { job, directory } = define(t, streamTickets());
  const plan = await job.plan({ simulate: true });
  assert.deepEqual([plan.rows.in, plan.rows.new, plan.rows.duplicate, plan.skipped], [4, 2, 1, { empty: 1 }]);
  const run = await job.run({ simulate: true });
  assert.deepEqual([run.summary.exitCode, run.summary.attempts.total], [0, 2]);
  const results = await collect(run.results());
  assert.deepEqual(
    results.map(({ row, disposition }) => [row.id, row.body, disposition]),
    [
      ['1', 'Charged twice', 'ok'],
      ['2', 'It {{ crashes }},\n"again"', 'ok'],
      ['3', '', 'skipped'],
      ['4', 'Charged twice', 'ok'],
    ],
  );
  assert.equal((await job.run({ simulate: true })).summary.attempts.total, 0);
  const table = fs.readFileSync(path.join(directory, 'out.csv'), 'utf8');
  assert.match(table, /^id,body,answer,.*_simulated\n1,Charged twice,/);
  // Another process gives the same rows again, as an array this time.
  const again = await define(t, TICKETS, directory).job.run({ simulate: true });
  assert.deepEqual([again.summary.rows.reused, again.summary.attempts.total], [2, 0]);
  assert.equal(fs.readFileSync(path.join(directory, 'out.csv'), 'utf8'), table);
});

wideTest('a stopped run over rows from memory is continued by a program that passes them again', async (t) => {
  const { job, directory } = define(t, streamTickets());
  const stopped = await job.run({ simulate: true, signal: AbortSignal.abort() });
  assert.deepEqual([stopped.summary.exitCode, stopped.summary.rows.pending], [130, 3]);
  const { summary } = await define(t, streamTickets(), directory).job.run({ simulate: true });
  assert.deepEqual([summary.run, summary.exitCode, summary.attempts.total], [stopped.summary.run, 0, 2]);
});

wideTest('rows of one job are stored in a separate state directory for each address and folder', async (t) => {
  const { job, directory } = define(t, streamTickets());
  for (const stateDir of ['one', 'two']) {
    const { summary } = await job.run({ simulate: true, stateDir: path.join(directory, stateDir) });
    assert.deepEqual([summary.rows.in, summary.attempts.total], [4, 2]);
  }
});

const WRONG: readonly (readonly [unknown, RegExp])[] = [
  [[], /^input\.rows: gives no row$/],
  [['a text'], /^input\.rows: row 1 is "a text"; give objects with a value per column$/],
  [[TICKETS[0], [1, 'x']], /^input\.rows: row 2 is a list; give objects/],
  [[TICKETS[0], null], /^input\.rows: row 2 is empty; give objects/],
  [[{ id: 1, body: Number.NaN }], /^input\.rows: row 1: "body" is NaN, which no table can hold$/],
  [[{ id: 1, body: () => 'x' }], /^input\.rows: row 1: "body" is a function, which no table can hold$/],
  [[{ id: 1, text: 'x' }], /^input\.columns: no column "body" in input\.rows\. Columns: id, text$/],
];

test('a value that is not a row is refused with its number, and nothing is left behind', async (t) => {
  for (const [rows, message] of someOf(WRONG, 4)) {
    const { job, directory } = define(t, rows);
    for (const call of [() => job.plan({ simulate: true }), () => job.run({ simulate: true })])
      await assert.rejects(call, (error: unknown) => error instanceof UsageError && message.test(error.message), String(message));
    assert.deepEqual(fs.readdirSync(directory), []);
  }
});

test('what the source of rows throws is thrown by plan() and run(), each time: half a table never counts', async (t) => {
  const fault = Object.assign(new Error('the cursor broke off'), { code: 'ENOENT' });
  async function* breakOff(): AsyncGenerator<Ticket> {
    yield* streamTickets();
    throw fault;
  }
  const { job, directory } = define(t, breakOff());
  for (const call of [() => job.run({ simulate: true }), () => job.plan({ simulate: true }), () => job.run({ simulate: true })])
    await assert.rejects(call, (error: unknown) => error === fault);
  assert.deepEqual(fs.readdirSync(directory), []);
});

wideTest('numbers too large for JavaScript, dates and lists arrive as their text', async (t) => {
  const rows = [{ id: 2n ** 70n, body: [new Date(0), { a: 1 }] }];
  const { job } = define(t, rows);
  const [result] = await collect((await job.run({ simulate: true })).results());
  assert.deepEqual({ ...result?.row }, { id: '1180591620717411303424', body: '["1970-01-01T00:00:00.000Z",{"a":1}]' });
});
