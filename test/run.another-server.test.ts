import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { LLMock } from '@copilotkit/aimock';
import { makeRows, makeWorld } from './helpers/run-world.ts';

/** A server of the same wire that is not ours: unset fields are absent, ids look different, and every answer is the same text. */
async function startOther(t: { after(end: () => Promise<void>): void }): Promise<string> {
  const server = new LLMock({ port: 0 });
  await server.start();
  t.after(() => server.stop());
  return `${server.url}/v1`;
}

test('against another server whose answers are never JSON every row fails as invalid, after its attempts, and nothing hangs', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(5), job: 'retry: { attempts: 2 }' });
  const { summary } = await world.run({ baseUrl: await startOther(t) });
  assert.deepEqual([summary.exitCode, summary.causes, summary.rows.failed], [3, { invalid: 5 }, 5]);
  assert.equal(summary.attempts.total, 10);
  assert.equal(fs.existsSync(world.path('out.csv')), true);
  assert.equal(summary.simulated, false);
});

test('another server returns free text row by row', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(5), job: 'output: text' });
  const { summary } = await world.run({ baseUrl: await startOther(t) });
  assert.deepEqual([summary.exitCode, summary.rows.ok], [0, 5]);
  const again = await world.run({ baseUrl: await startOther(t) });
  assert.equal(again.summary.attempts.total, 0);
});
