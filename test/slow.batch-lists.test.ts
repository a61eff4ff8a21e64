import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { LIST_FAULTS } from '../src/simulator/faults/fault-plan.ts';
import { makeRows, makeWorld, type World } from './helpers/run-world.ts';
import { readShapes } from './helpers/world-shapes.ts';

const onCreate = { method: 'POST', path: '/v1/batches', nth: 1 };
const onList = { method: 'GET', path: '/v1/batches' };
const HOUR_MS = 3_600_000;

/** Creates batches of somebody else's, all of them refused, and lets an hour pass. */
async function createStrangers(world: World, count: number): Promise<void> {
  const headers = { authorization: 'Bearer somebody-else' };
  const form = new FormData();
  form.append('purpose', 'batch');
  form.append('file', new File(['{}\n'], 'refused.jsonl'));
  const file = (await (await fetch(`${world.simulator.url}/files`, { method: 'POST', headers, body: form })).json()) as { id: string };
  const body = JSON.stringify({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
  for (let others = 0; others < count; others += 1) {
    const { status } = await fetch(`${world.simulator.url}/batches`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body,
    });
    assert.equal(status, 200);
  }
  await world.simulator.advance(HOUR_MS);
}

for (const listOrder of ['oldest_first', 'mixed', 'newest_first'] as const) {
  test(`a lost create is found behind whole pages of old batches (${listOrder})`, async (t) => {
    const world = await makeWorld(t, { listOrder, faults: [{ match: { ...onCreate, nth: 221 }, do: { drop: 'after' } }] });
    await createStrangers(world, 220);
    const { summary, requests } = await world.run();
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, requests['POST /v1/batches'], world.simulator.bill().length], [0, 1, 12]);
    assert.equal(summary.possiblyBilled, undefined);
    world.check(summary);
  });
}

/** How often each list is asked for: the sweeps before and after, and looks; a list without end is left after 100 pages. */
const MOST_PAGES = 320;

for (const kind of LIST_FAULTS.filter((kind) => kind !== 'empty')) {
  test(`a lost create is found in a list of another form: ${kind}`, async (t) => {
    const world = await makeWorld(t, {
      faults: [
        { match: onCreate, do: { drop: 'after' } },
        { match: onList, do: { list: kind } },
      ],
    });
    const { summary, requests, warnings } = await world.run();
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, requests['POST /v1/batches'], world.simulator.bill().length], [0, 1, 12]);
    assert.ok((requests['GET /v1/batches'] ?? 0) <= MOST_PAGES, `${requests['GET /v1/batches']} pages`);
    if (kind === 'endless') assert.match(warnings.join('\n'), /list of batches did not end within [\d,]+ batches/);
    world.check(summary);
  });
}

test('a create that did not happen is repeated although the list is endless, and this is counted and reported', async (t) => {
  const world = await makeWorld(t, {
    faults: [
      { match: onCreate, do: { drop: 'before' } },
      { match: onList, do: { list: 'endless' } },
    ],
  });
  const { summary, warnings } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, world.simulator.bill().length], [0, 12]);
  assert.match(warnings.join('\n'), /did not end within [\d,]+ batches: a batch of file 000001 beyond them is not seen/);
  assert.deepEqual(
    summary.possiblyBilled?.map(({ why, calls }) => [why, calls]),
    [['create_not_found', 12]],
  );
});

test('a list that is empty for a while, although batches are in progress, does not prove that a create did not happen', async (t) => {
  const emptyLooks = Array.from({ length: 12 }, (_, index) => ({ match: { ...onList, nth: index + 2 }, do: { list: 'empty' } }));
  const world = await makeWorld(t, {
    rows: makeRows(24),
    job: 'limits: { enqueued_tokens: 1500 }',
    batchSeconds: 5 * 60,
    faults: [{ match: { ...onCreate, nth: 2 }, do: { drop: 'after' } }, ...emptyLooks],
  });
  const { summary, requests, warnings } = await world.run();
  assert.ok((requests['POST /v1/batches'] ?? 0) >= 2, 'several shards');
  assert.match(warnings.join('\n'), /lacks batch_\w+, which is in progress/);
  assert.deepEqual([summary.exitCode, world.simulator.bill().length, summary.possiblyBilled], [0, 24, undefined]);
  world.check(summary);
});

for (const { html, label } of [
  { html: 404, label: '404' },
  { html: 405, label: '405' },
  { html: 501, label: '501' },
]) {
  for (const taken of [true, false]) {
    test(`a search answered with one ${label} of a gateway proves nothing: each row is billed once (created: ${taken})`, async (t) => {
      const faults = [
        { match: onCreate, do: { drop: taken ? 'after' : 'before' } },
        // Nothing of ours is in the list before: the sweep takes one page.
        { match: { ...onList, nth: 2 }, do: { html } },
      ];
      const world = await makeWorld(t, { faults });
      const { summary, requests, warnings } = await world.run();
      world.assertFaultsFired();
      assert.deepEqual([summary.exitCode, requests['POST /v1/batches'], world.simulator.bill().length], [0, taken ? 1 : 2, 12]);
      assert.match(warnings.join('\n'), /the list of batches was answered with .*rowmill keeps looking for it/);
      world.check(summary);
    });
  }
}

test('if the list stays unavailable after a lost create, the run ends with 7, and nothing is created again', async (t) => {
  const lists = Array.from({ length: 400 }, (_, index) => ({ match: { ...onList, nth: index + 2 }, do: { html: 404 } }));
  const world = await makeWorld(t, { faults: [{ match: onCreate, do: { drop: 'after' } }, ...lists] });
  const { summary, requests } = await world.run();
  assert.deepEqual([summary.exitCode, requests['POST /v1/batches'], summary.rows.pending], [7, 1, 12]);
  await world.restart({});
  const next = await world.run();
  assert.deepEqual([next.summary.exitCode, next.requests['POST /v1/batches'], world.simulator.bill().length], [0, undefined, 12]);
});

test('a create answered with the id of another batch stops the run, and no batch is bound twice', async (t) => {
  const world = await makeWorld(t, {
    rows: makeRows(24),
    job: 'limits: { enqueued_tokens: 1500 }',
    faults: [{ match: { batch: 2 }, do: { idOfBatch: 1 } }],
  });
  const { summary, requests } = await world.run();
  world.assertFaultsFired();
  assert.equal(summary.exitCode, 5);
  assert.match(summary.verdict, /was answered with batch_\w+, which is the batch of file 00000\d; nothing more is created/);
  assert.ok((requests['POST /v1/batches'] ?? 0) <= 3, `${requests['POST /v1/batches']} creates`);
  const next = await world.run();
  assert.deepEqual([next.summary.exitCode, world.simulator.bill().length, next.summary.possiblyBilled], [0, 24, undefined]);
  world.check(next.summary);
});

test('answers that are not a list end a batch run after one search, or let it continue', async (t) => {
  for (const shape of readShapes().filter(({ kind }) => kind === 'list')) {
    const { name, status = 200, body, text, headers, want } = shape;
    // A passing fault is one that passes.
    const times = status >= 500 && want.run === 'goes on' ? { times: 1 } : {};
    const served = { status, body: body ?? text ?? '', headers: headers ?? {} };
    const world = await makeWorld(t, { rows: makeRows(3), faults: [{ match: onList, do: served, ...times }] });
    const { summary, requests } = await world.run();
    world.assertFaultsFired();
    const said = `${name}: exit ${summary.exitCode}, ${summary.verdict}`;
    if (want.run === 'goes on') assert.equal(summary.exitCode, 0, said);
    else {
      assert.equal(summary.exitCode, want.exitCode, said);
      assert.ok(summary.verdict.includes(want.says ?? ''), said);
      assert.deepEqual([requests['POST /v1/files'], requests['GET /v1/batches']], [undefined, 1], said);
    }
  }
});

test('a live run never requests the list of batches', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(3), faults: [{ match: onList, do: { html: 404 } }] });
  world.write('job.yaml', world.read('job.yaml').replace('mode: batch', 'mode: live'));
  const { summary, requests } = await world.run();
  assert.deepEqual([summary.exitCode, summary.rows.ok, requests['GET /v1/batches']], [0, 3, undefined]);
  assert.equal(fs.existsSync(world.path('out.csv')), true);
});

test('a base URL without /v1 is reported in mode batch too', async (t) => {
  const world = await makeWorld(t);
  const { summary } = await world.run({ baseUrl: new URL(world.simulator.url).origin });
  assert.equal(summary.exitCode, 4);
  assert.match(summary.verdict, /^this address has no batches; set mode: live \(.*\); most servers .*: try --base-url http:\S+\d\/v1$/);
});
