import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { defineJob, LockHeldError } from '../src/index.ts';
import { startSimulator } from '../src/simulator/start.ts';
import { collect, makeFolder } from './helpers/api-world.ts';
import { wideTest } from './helpers/wide.ts';

const ROWS = Array.from({ length: 6 }, (_, index) => ({ text: `row ${index + 1}` }));

function define(directory: string, name: string) {
  const prompt = (row: { readonly text: string }) => `${name}: ${row.text}`;
  return defineJob({
    name,
    directory,
    input: { rows: ROWS, columns: ['text'] },
    model: 'gpt-4o-mini',
    mode: 'live',
    prompt,
    output: 'text',
  });
}

wideTest('two jobs run at the same time in one process, each with its own answers and books', async (t: TestContext) => {
  const directory = makeFolder(t, {});
  const runs = await Promise.all(['one', 'two'].map((name) => define(directory, name).run({ simulate: true })));
  for (const [index, name] of ['one', 'two'].entries()) {
    const run = runs[index];
    assert.ok(run);
    assert.deepEqual([run.summary.job, run.summary.exitCode, run.summary.attempts.total], [name, 0, 6]);
    for (const result of await collect(run.results())) assert.match(String(result.output), new RegExp(`^${name}`));
  }
});

wideTest(
  'a second run of a job at the same time is refused, by the same definition or another, and the first one is none the worse',
  async (t) => {
    const directory = makeFolder(t, {});
    const simulator = await startSimulator({ virtualTime: true, latencyMs: 1000 });
    t.after(() => simulator.close());
    const job = define(directory, 'one');
    const settings = { baseUrl: simulator.url };
    let hasEnded = false;
    let tellBegun: () => void = () => {};
    const begun = new Promise<void>((resolve) => {
      tellBegun = resolve;
    });
    const first = job.run({ ...settings, onProgress: () => tellBegun() }).finally(() => {
      hasEnded = true;
    });
    await begun;
    for (const second of [job, define(directory, 'one')])
      await assert.rejects(second.run(settings), (error: unknown) => error instanceof LockHeldError && error.exitCode === 6);
    // Looking is allowed.
    assert.equal((await job.plan(settings)).rows.in, 6);
    assert.ok(!hasEnded);
    while (!hasEnded) {
      await simulator.advance(1000);
      await new Promise(setImmediate);
    }
    const { summary } = await first;
    assert.deepEqual([summary.exitCode, summary.rows.ok, summary.ledger.attempts], [0, 6, 6]);
  },
);

wideTest('a run that was stopped in the middle is continued by the next one, and nothing is sent twice', async (t) => {
  const job = define(makeFolder(t, {}), 'one');
  const stopping = new AbortController();
  const stopped = await job.run({ simulate: true, signal: stopping.signal, onProgress: () => stopping.abort() });
  assert.equal(stopped.summary.exitCode, 130);
  const { summary } = await job.run({ simulate: true });
  assert.deepEqual([summary.run, summary.exitCode, summary.rows.ok, summary.ledger.attempts], [stopped.summary.run, 0, 6, 6]);
});
