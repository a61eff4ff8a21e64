import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Effects } from '../src/run/open/effects.ts';
import { startProxy } from './helpers/proxy.ts';
import { makeRows, makeWorld, type World } from './helpers/run-world.ts';
import { wideTest } from './helpers/wide.ts';

/**
 * A gateway that tells of an input file as Azure does: what `statusOf` says of it at its n-th look, the upload being the first. Writes down what
 * it was asked, in order: a status at each look, and each creation.
 */
async function startAzure(t: TestContext, world: World, statusOf: (look: number) => string | undefined) {
  const seen: string[] = [];
  const baseUrl = await startProxy(t, {
    target: world.simulator.url,
    changeRequest({ method, path, body }) {
      if (method === 'POST' && path === '/v1/batches') seen.push('create');
      return body;
    },
    changeAnswer(_, answer) {
      if (answer.object !== 'file' || !String(answer.filename).startsWith('rowmill.')) return answer;
      const status = statusOf(seen.length);
      seen.push(status ?? 'none');
      return { ...answer, status };
    },
  });
  return { baseUrl, seen };
}

test('a batch is created only after the provider has processed its file', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(4) });
  const { baseUrl, seen } = await startAzure(t, world, (look) => ['pending', 'Running', 'running'][look] ?? 'processed');
  const { summary, warnings } = await world.run({ baseUrl });
  assert.deepEqual([summary.exitCode, summary.rows.ok, warnings], [0, 4, []]);
  assert.deepEqual(seen, ['pending', 'Running', 'running', 'processed', 'create']);
});

for (const status of ['error', undefined]) {
  test(`a file whose status is ${status ?? 'absent'} is not waited for`, async (t) => {
    const world = await makeWorld(t, { rows: makeRows(2) });
    const { baseUrl, seen } = await startAzure(t, world, () => status);
    const { summary } = await world.run({ baseUrl });
    assert.deepEqual([summary.rows.ok, seen], [2, [status ?? 'none', 'create']]);
  });
}

for (const [status, minutes] of [
  ['uploaded', 1],
  ['pending', 10],
] as const) {
  test(`a file that stays ${status} is waited for ${minutes} min, then the create decides`, async (t) => {
    const world = await makeWorld(t, { rows: makeRows(2) });
    const { baseUrl, seen } = await startAzure(t, world, () => status);
    const startedAt = world.clock().getTime();
    const { summary, warnings } = await world.run({ baseUrl, pollMaxMs: 20_000 });
    assert.deepEqual([summary.exitCode, summary.rows.ok, seen.at(-1)], [0, 2, 'create']);
    assert.match(warnings[0] ?? '', /^waiting since .* UTC: batch file 000001 is still .* its batch is created when it is processed$/);
    assert.match(warnings.at(-1) ?? '', new RegExp(`^batch file 000001 is still ${status} at the provider`));
    assert.ok(world.clock().getTime() - startedAt >= minutes * 60_000);
  });
}

wideTest('a run that ended while waiting asks about the file again, and uploads nothing twice', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(4) });
  const stop = new AbortController();
  const { baseUrl, seen } = await startAzure(t, world, (look) => {
    if (look === 2) stop.abort();
    return look < 5 ? 'pending' : 'processed';
  });
  const first = await world.run({ baseUrl, stopping: stop.signal }).catch(() => null);
  assert.ok(!seen.includes('create') && first?.summary.exitCode !== 0);
  const { summary, requests } = await world.run({ baseUrl });
  assert.deepEqual(
    [summary.exitCode, summary.rows.ok, requests['POST /v1/files'], seen.at(-2), seen.at(-1)],
    [0, 4, undefined, 'processed', 'create'],
  );
});

for (const kept of [0, 0.5]) {
  test(`a batch file that vanishes ends the run; the next one packs its rows again${kept > 0 ? ', as from a part of it' : ''}`, async (t) => {
    const world = await makeWorld(t, {
      rows: makeRows(4),
      faults: [{ match: { path: '/v1/files', method: 'POST', nth: 1 }, do: { status: 500 } }],
    });
    const path = join(world.stateDirectory, 'requests', '000001.jsonl');
    let part = '';
    const sleep: Effects['sleep'] = async (...wait) => {
      const text = readFileSync(path, 'utf8');
      part = text.slice(0, text.length * kept);
      rmSync(path);
      await world.effects.sleep(...wait);
    };
    await assert.rejects(world.run({ effects: { ...world.effects, sleep } }), { name: 'DiskError', path, errno: 'ENOENT' });
    world.assertFaultsFired();
    if (part !== '') writeFileSync(path, part);
    const { summary, requests, warnings } = await world.run();
    assert.deepEqual([summary.exitCode, summary.rows.ok, requests['POST /v1/files']], [0, 4, 1]);
    assert.deepEqual(warnings, ['batch file 000001 was lost or cut before it was sent: its rows are packed again']);
    world.check(summary);
  });
}
