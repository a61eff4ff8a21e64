import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planWorld } from './helpers/plan-world.ts';
import {
  CONSTANT,
  LUNA,
  makeConstantJob,
  makeLongRows,
  makeShortRows,
  makeText,
  priceConstant,
  proveLaneChanges,
  proveNoWrites,
  readCache,
  runIn,
} from './helpers/prompt-cache-world.ts';
import { runInProcess } from './helpers/run-in-process.ts';
import { makeJobText, makeWorld, renderCsv, type World } from './helpers/run-world.ts';

for (const mode of ['batch', 'live', 'flex'] as const) {
  test(`long rows sent once through ${mode} pay for no cache write`, (t) => proveNoWrites(t, mode, 60));
}

test('left to the provider, the same rows are cached in vain, and the summary shows the cost', async (t) => {
  const job = 'model: gpt-5.6-luna\nparams: { max_output_tokens: 1000, prompt_cache: provider }';
  const world = await makeWorld(t, { rows: makeLongRows(30), job });
  const { summary } = await runIn(world, 'live');
  const { found, written } = readCache(world);
  assert.deepEqual([found, written], [0, summary.tokens.input]);
  assert.equal(summary.tokens.cacheWrite, written);
  assert.equal(summary.cost.cacheSavedNanoUsd, -written * 50);
  assert.match(world.read('out.report.html'), /Of it lost to the prompt cache/);
  const { stdout } = await runInProcess(['report', 'job.yaml'], { cwd: world.directory, env: { PATH: process.env.PATH ?? '' } });
  assert.match(stdout, /written to the cache[\s\S]*writes cost \$[\d.]+ more than reads saved/);
});

for (const rows of [1, 2, 60]) {
  test(`${rows} short rows after 2,000 constant tokens cost live no more than the cheaper choice`, async (t) => {
    const { provider, explicit, auto } = await priceConstant(t, rows);
    assert.ok(auto <= Math.min(provider, explicit) * 1.01, `auto ${auto}, explicit ${explicit}, provider ${provider}`);
    if (rows === 60) assert.ok(auto < provider * 0.45, 'the beginning is found, not written again');
  });
}

test('a prefix within the user message is cached too, and a row that starts differently shares nothing', async (t) => {
  const job = `${CONSTANT}\nprompt: "${makeText('Rules', 2_000)} {{ text }}"`;
  const world = await makeWorld(t, { rows: makeShortRows(60), job, latencyMs: 2, now: Date.now });
  const { summary } = await runIn(world, 'live');
  assert.equal(summary.rows.ok, 60);
  const { found, written } = readCache(world);
  assert.ok(found > written * 5, `found ${found}, written ${written}`);
  assert.ok((summary.cost.cacheSavedNanoUsd ?? 0) > 0);
});

test('rows sent through one lane are not sent through another; only new ones are', (t) => proveLaneChanges(t, 300));

test('answers given with cache settings are reused in every lane, and so are earlier ones', async (t) => {
  const world = await makeWorld(t, { rows: makeShortRows(50), job: makeConstantJob() });
  await runIn(world, 'live');
  for (const mode of ['batch', 'flex', 'live'] as const) assert.equal((await runIn(world, mode)).summary.attempts.total, 0, mode);
  for (const setting of ['provider', 'explicit']) {
    world.write('job.yaml', makeJobText(makeConstantJob().replace('1000 }', `1000, prompt_cache: ${setting} }`)));
    assert.equal((await runIn(world, 'batch')).summary.attempts.total, 0, setting);
  }
});

const readEvents = (world: World): { type: string; lane?: string; isTaken?: boolean; probe?: string[]; customIds?: string[] }[] => {
  const lines = world.read('.rowmill/proof@simulator/events.jsonl').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line));
};
const readLearned = (world: World) =>
  readEvents(world).flatMap(({ type, lane, isTaken }) => (type === 'cache-option-learned' ? [`${lane} ${isTaken}`] : []));
const readShards = (world: World) =>
  readEvents(world).flatMap(({ type, probe = [], customIds = [] }) => (type === 'shard-written' ? [[probe.length, customIds.length]] : []));

test('the first twenty long lines of the first batch test the option, and the result is remembered', async (t) => {
  const short = makeShortRows(5).map(([id, text]): [string, string] => [`s${id}`, text]);
  const world = await makeWorld(t, { rows: [...short, ...makeLongRows(40)], job: LUNA });
  await runIn(world, 'batch');
  assert.deepEqual(readLearned(world), ['batch true']);
  assert.deepEqual(readShards(world)[0], [20, 25], 'short lines carry nothing');
  assert.deepEqual(readCache(world), { found: 0, written: 0 });

  world.write('in.csv', renderCsv(makeLongRows(40, 100)));
  const { summary } = await runIn(world, 'batch');
  assert.equal(summary.batches.length, 1, 'nothing is tried out again');
  assert.deepEqual(readCache(world), { found: 0, written: 0 });
  assert.deepEqual(readLearned(world), ['batch true']);
});

for (const cacheOptions of ['refused_in_batches', 'fails_batches'] as const) {
  test(`batches that refuse the option (${cacheOptions}) bill nothing for it, and its lines are sent again without it`, async (t) => {
    const world = await makeWorld(t, { rows: makeLongRows(50), job: LUNA, cacheOptions });
    const { summary, warnings } = await runIn(world, 'batch');
    assert.deepEqual([summary.exitCode, summary.rows.ok, summary.attempts.total], [0, 50, 50]);
    assert.equal(world.simulator.bill().length, 50, 'the bill is the rows');
    assert.deepEqual(readLearned(world), ['batch false']);
    assert.match(warnings.join('\n'), /batches at this address do not take prompt_cache_options/);
    world.check(summary);
    world.write('in.csv', renderCsv(makeLongRows(30, 100)));
    const again = await runIn(world, 'batch');
    assert.deepEqual([again.summary.rows.ok, again.summary.batches.length], [30, 1]);
  });
}

test('a run that only submits waits for nothing, and marks the first lines anyway', async (t) => {
  const world = await makeWorld(t, { rows: makeLongRows(60), job: LUNA });
  await world.runToEnd({ waitMs: 0 });
  const marked = readShards(world).map(([probe]) => probe);
  assert.equal(
    marked.reduce((sum = 0, probe) => sum + (probe as number), 0),
    20,
  );
  assert.equal(world.simulator.bill().length, 60);
});

test('live calls refused because of the option are repeated at once without it, and later ones omit it', async (t) => {
  const world = await makeWorld(t, { rows: makeLongRows(100), job: LUNA, cacheOptions: 'refused' });
  const { summary, warnings, requests } = await runIn(world, 'live');
  assert.deepEqual([summary.exitCode, summary.rows.ok, summary.attempts.total], [0, 100, 100]);
  assert.equal(world.simulator.bill().length, 100);
  assert.deepEqual(readLearned(world), ['live false']);
  assert.equal(warnings.filter((warning) => /does not take prompt_cache_options/.test(warning)).length, 1);
  assert.ok((requests['POST /v1/chat/completions'] ?? 0) > 100);
  world.write('in.csv', renderCsv(makeLongRows(20, 200)));
  const again = await runIn(world, 'live');
  assert.equal(again.requests['POST /v1/chat/completions'], 20);
});

test('requests to models before gpt-5.6 omit it, whatever the job says', async (t) => {
  const job = 'model: gpt-5.5\nparams: { max_output_tokens: 1000, prompt_cache: explicit }';
  const world = await makeWorld(t, { rows: makeLongRows(25), job });
  for (const mode of ['batch', 'live'] as const) assert.equal((await runIn(world, mode)).summary.rows.ok, 25, mode);
  const plan = await planWorld(world);
  assert.equal(plan.promptCache, null);
  assert.match(JSON.stringify(plan.problems), /gpt-5\.5 takes no cache options/);
});

test('the plan shows the decision, what it saves and what the other choices would cost', async (t) => {
  const long = await makeWorld(t, { rows: makeLongRows(100), job: LUNA });
  const { promptCache } = await planWorld(long);
  assert.ok(promptCache !== null);
  assert.deepEqual([promptCache.setting, promptCache.priced, promptCache.requests, promptCache.beginningTokens], ['auto', 'batch', 100, 0]);
  const { batch, live } = promptCache.lanes;
  assert.deepEqual(
    [batch?.choice, live?.choice, batch?.addsNanoUsd.nothing, batch?.addsNanoUsd.beginning],
    ['nothing', 'nothing', 0, null],
  );
  assert.equal(promptCache.savedNanoUsd, batch?.addsNanoUsd.provider);
  assert.ok(Math.abs(promptCache.savedNanoUsd - 100 * 1_200 * 25) < 100 * 1_200 * 25 * 0.15);

  const shown = await runInProcess(['plan', 'job.yaml'], { cwd: long.directory, env: { PATH: process.env.PATH ?? '' } });
  assert.match(shown.stdout, /nothing is written \(prompt_cache: auto; 100 prompts are long enough to be written\)/);
  assert.match(shown.stdout, /left to the provider it would cost \$[\d.]+ more/);

  const constant = await makeWorld(t, { rows: makeShortRows(100), job: makeConstantJob() });
  const plan = await planWorld(constant);
  assert.deepEqual([plan.promptCache?.lanes.batch?.choice, plan.promptCache?.lanes.live?.choice], ['nothing', 'beginning']);
  assert.ok((plan.promptCache?.beginningTokens ?? 0) > 1_800);
  assert.ok((plan.cost.live?.expectedNanoUsd ?? 0) < 2 * (plan.cost.batch?.expectedNanoUsd ?? 0), 'live finds what a batch pays for');
});

test('the prefix is counted like the prompts that start with it', async (t) => {
  const text = Array.from({ length: 600 }, (_, index) => `w${(index * 7919) % 9973}`).join(' ');
  const job = `model: gpt-5.6-luna\nprompt: { system: "${text}", user: "{{ text }}" }\nparams: { reasoning_effort: none, max_output_tokens: 40 }`;
  const { promptCache, tokens, rows } = await planWorld(await makeWorld(t, { rows: makeShortRows(20), job }));
  const { beginningTokens = 0 } = promptCache ?? {};
  const perPrompt = tokens.input / rows.in;
  assert.ok(beginningTokens < perPrompt * 1.01 && beginningTokens > perPrompt * 0.9, `${beginningTokens} of ${perPrompt}`);
});
