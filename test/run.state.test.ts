import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { countPosts, makeWorld, type World } from './helpers/run-world.ts';
import { someOf, wideTest } from './helpers/wide.ts';

const STATE = '.rowmill/proof@simulator';

/** What may happen to the derived index between two runs. */
const INDEX_DAMAGE: readonly { title: string; damage: (world: World) => void }[] = [
  { title: 'deleted', damage: (world) => fs.rmSync(world.path(`${STATE}/settled.jsonl`)) },
  { title: 'torn', damage: (world) => fs.truncateSync(world.path(`${STATE}/settled.jsonl`), 300) },
  { title: 'emptied', damage: (world) => fs.truncateSync(world.path(`${STATE}/settled.jsonl`), 0) },
  { title: 'garbage', damage: (world) => world.write(`${STATE}/settled.jsonl`, 'what is this\n{}\n[1,2,3]\n') },
  {
    title: 'one digit other',
    damage: (world) => world.write(`${STATE}/settled.jsonl`, world.read(`${STATE}/settled.jsonl`).replace('"ok"', '"invalid"')),
  },
];

for (const { title, damage } of someOf(INDEX_DAMAGE, 1)) {
  test(`the index of answers is rebuilt when it is ${title}: same table, nothing sent`, async (t) => {
    const faults = [{ match: { every: 5 }, do: { answer: 'invalid_json' } }];
    const world = await makeWorld(t, { faults });
    const first = await world.run();
    world.assertFaultsFired();
    const table = world.read('out.csv');
    damage(world);
    fs.rmSync(world.path('out.csv'));
    const { summary, requests } = await world.run();
    assert.deepEqual([countPosts(requests), summary.attempts.total, summary.exitCode], [0, 0, first.summary.exitCode]);
    assert.deepEqual(summary.ledger, first.summary.ledger);
    const answers = (text: string) => text.split('\n').map((line) => line.split(',').slice(0, 4).join(','));
    assert.deepEqual(answers(world.read('out.csv')), answers(table));
    world.check(summary);
  });
}

wideTest('a torn last event is cut off and its effect searched for', async (t) => {
  const world = await makeWorld(t);
  await world.run({ waitMs: 0 });
  const events = world.read(`${STATE}/events.jsonl`);
  const at = events.indexOf('"type":"create-done"');
  fs.truncateSync(world.path(`${STATE}/events.jsonl`), at);
  const { summary, requests } = await world.run();
  assert.deepEqual([summary.exitCode, requests['POST /v1/batches'], summary.cost.orphanedNanoUsd], [0, undefined, 0]);
  assert.equal(world.simulator.bill().length, 12);
  world.check(summary);
});

test('damage in the middle of the events stops the run with file and line, and changes nothing', async (t) => {
  const world = await makeWorld(t);
  await world.run();
  const events = world.read(`${STATE}/events.jsonl`).split('\n');
  world.write(`${STATE}/events.jsonl`, events.with(4, (events[4] as string).replace(/\d/, '9')).join('\n'));
  const before = world.read('out.csv');
  await assert.rejects(world.run(), (error: { exitCode: number; line: number; message: string }) => {
    assert.deepEqual([error.exitCode, error.line], [1, 5]);
    assert.match(error.message, /events\.jsonl:5:/);
    return true;
  });
  assert.equal(world.read('out.csv'), before);
});

/** Puts the directory back to what it was after the last event of a type. */
function restoreBackup(world: World, type: string): void {
  const events = world.read(`${STATE}/events.jsonl`).trimEnd().split('\n');
  const kept = events.slice(0, events.findLastIndex((line) => line.includes(`"type":"${type}"`)) + 1).join('\n');
  world.write(`${STATE}/events.jsonl`, `${kept}\n`);
  for (const name of fs.readdirSync(world.path(`${STATE}/responses`))) {
    if (!kept.includes(`"file":"${name}"`)) fs.rmSync(world.path(`${STATE}/responses/${name}`));
  }
  for (const name of ['settled.jsonl', 'runs']) fs.rmSync(world.path(`${STATE}/${name}`), { recursive: true });
}

for (const type of someOf(['create-done', 'create-intent', 'response-recorded'], 1)) {
  wideTest(`a state directory restored from a backup that ends with ${type} finds out what was done since`, async (t) => {
    const world = await makeWorld(t);
    const first = await world.run();
    const table = world.read('out.csv');
    restoreBackup(world, type);
    const { summary, requests } = await world.run();
    assert.deepEqual([summary.exitCode, requests['POST /v1/batches'], world.simulator.bill().length], [0, undefined, 12]);
    assert.equal(summary.cost.nanoUsd, first.summary.cost.nanoUsd);
    assert.equal(world.read('out.csv'), table);
    world.check(summary);
  });
}

for (const type of someOf(['upload-done', 'shard-written', 'run-started'], 1)) {
  test(`a backup that ends with ${type} lacks the create: what is paid for twice is counted as orphaned`, async (t) => {
    const world = await makeWorld(t);
    const first = await world.run();
    const table = world.read('out.csv');
    restoreBackup(world, type);
    const { summary } = await world.run();
    assert.equal(summary.exitCode, 0);
    assert.equal(
      world.simulator.bill().length * first.summary.cost.nanoUsd,
      12 * summary.ledger.nanoUsd,
      'every paid call is in the books',
    );
    assert.equal(summary.cost.nanoUsd, summary.ledger.nanoUsd);
    assert.equal(world.read('out.csv').split('\n').length, table.split('\n').length);
    world.check(summary);
  });
}

wideTest('answers next to an older log whose create is still open are booked once', async (t) => {
  const world = await makeWorld(t);
  await world.run();
  const events = world.read(`${STATE}/events.jsonl`);
  world.write(`${STATE}/events.jsonl`, events.slice(0, events.indexOf('\n', events.indexOf('"type":"create-intent"')) + 1));
  const { summary } = await world.run();
  assert.deepEqual([summary.exitCode, world.simulator.bill().length], [0, 12]);
  world.check(summary);
});

wideTest('answers put into responses/ by hand are recognised by their content and cost nothing again', async (t) => {
  const world = await makeWorld(t);
  const first = await world.run();
  const name = `${first.summary.batches[0]?.id}.output.jsonl`;
  const answers = world.read(`${STATE}/responses/${name}`);
  for (const entry of ['events.jsonl', 'settled.jsonl', 'responses', 'runs', 'out'])
    fs.rmSync(world.path(`${STATE}/${entry}`), { recursive: true, force: true });
  fs.mkdirSync(world.path(`${STATE}/responses`), { mode: 0o700 });
  fs.writeFileSync(world.path(`${STATE}/responses/${name}`), answers, { mode: 0o600 });
  fs.rmSync(world.path('out.csv'));
  const { summary, requests } = await world.run();
  assert.deepEqual([summary.exitCode, summary.rows.ok, summary.attempts.total, countPosts(requests)], [0, 12, 0, 0]);
});

test('a directory of another provider is refused by name, and nothing is sent', async (t) => {
  const world = await makeWorld(t);
  await world.run();
  world.write(`${STATE}/events.jsonl`, world.read(`${STATE}/events.jsonl`));
  const target = { origin: 'default', baseUrl: null, connect: () => assert.fail('nobody is called') };
  fs.renameSync(world.path(STATE), world.path('.rowmill/proof'));
  await assert.rejects(world.run({ target } as object), (error: { exitCode: number; message: string }) => {
    assert.equal(error.exitCode, 2);
    assert.match(error.message, /simulator/);
    return true;
  });
  fs.renameSync(world.path('.rowmill/proof'), world.path(STATE));
});

test('a budget for a model without a known price is refused before anything is sent', async (t) => {
  const world = await makeWorld(t, { job: 'model: gpt-unheard-of' });
  await assert.rejects(world.run({ maxNanoUsd: 1_000_000_000 }), { exitCode: 2 });
  assert.equal(countPosts(world.simulator.requests()), 0);
});
