import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { type TestContext, test } from 'node:test';
import { PROFILES, type ProviderProfile } from './helpers/provider-profiles.ts';
import { type ProviderStub, readShape, type StubOptions, startProviderStub } from './helpers/provider-stub.ts';
import { makeRows, makeWorld, type RunChange, type World } from './helpers/run-world.ts';

const MODEL = 'model: some-model';
/** A run that works ends in this time of its own clock, one that cannot work stops in that. */
const MOST_MS = 10_000;
const MOST_TO_STOP_MS = 5_000;

interface Stage {
  readonly world: World;
  readonly stub: ProviderStub;
  run(mode: 'live' | 'batch', change?: RunChange): ReturnType<World['run']>;
}

/** A job of three rows at a stub: at its address on this machine, where everything is learned, or at the provider's own, where it is known. */
async function makeStage(
  t: TestContext,
  profile: ProviderProfile,
  options: StubOptions & { readonly at?: 'hosted' | 'here' } = {},
): Promise<Stage> {
  const stub = await startProviderStub(t, profile, options);
  const world = await makeWorld(t, { rows: makeRows(3), job: MODEL });
  const isHosted = options.at === 'hosted';
  return {
    world,
    stub,
    async run(mode, change = {}) {
      const before = process.env.HTTP_PROXY;
      if (isHosted) process.env.HTTP_PROXY = stub.proxyUrl;
      try {
        const baseUrl = isHosted ? (profile.hosted as string) : stub.baseUrl;
        // One time for everything: a wait of a minute is no minute of this machine.
        const effects = { ...world.effects, monotonicMs: () => world.clock().getTime() };
        return await world.run({ baseUrl, effects, overrides: { cwd: world.directory, input: null, out: null, mode }, ...change });
      } finally {
        if (before === undefined) delete process.env.HTTP_PROXY;
        else process.env.HTTP_PROXY = before;
      }
    },
  };
}

/** Runs to the end, and holds the run to its time. */
async function runAll({ world, run }: Stage, mode: 'live' | 'batch', rows = 3, change: RunChange = {}): ReturnType<World['run']> {
  const startedAt = world.clock().getTime();
  const ended = await run(mode, change);
  const tookMs = world.clock().getTime() - startedAt;
  assert.deepEqual([ended.summary.exitCode, ended.summary.rows.ok], [0, rows], JSON.stringify([ended.summary.causes, ended.warnings]));
  // Work of this machine is real time; on the world's clock it counts a thousandfold less than waits do.
  if (mode === 'live') assert.ok(tookMs < MOST_MS, `${tookMs} ms`);
  return ended;
}

for (const profile of PROFILES) {
  const { name, batch } = profile;

  test(`${name}: three live rows end ok, the list of batches is never asked for, and what was learned is not learned again`, async (t) => {
    const stage = await makeStage(t, profile);
    await runAll(stage, 'live');
    const { stub, world } = stage;
    assert.deepEqual(
      stub.requests.filter((request) => request !== 'POST /chat/completions'),
      [],
    );
    assert.ok(stub.refusals.length <= 3, 'each of the first calls at most once');
    const learned = stub.refusals.length;
    assert.equal(learned > 0, profile.refuseCap !== null);
    fs.appendFileSync(world.path('in.csv'), 'r9,One more\n');
    await runAll(stage, 'live', 4);
    assert.equal(stub.refusals.length, learned, 'remembered in the state');
    assert.equal(stub.answered.length, 4, 'the answers of before serve: no key has changed');
  });

  if (profile.hosted !== null) {
    test(`${name}: at its own address nothing has to be learned`, async (t) => {
      const stage = await makeStage(t, profile, { at: 'hosted' });
      const { warnings } = await runAll(stage, 'live');
      assert.deepEqual([stage.stub.refusals, stage.stub.answered.length, warnings], [[], 3, []]);
    });
  }

  for (const at of batch === null ? [] : profile.hosted === null ? (['here'] as const) : (['here', 'hosted'] as const)) {
    test(`${name}: three rows in a batch end ok, ${at === 'here' ? 'where its forms are learned' : 'at its own address without a refusal'}`, async (t) => {
      const stage = await makeStage(t, profile, { at });
      // Nobody tells before a batch has run what its lines may not hold: its rows cost nothing, and are asked again by hand.
      if (at === 'here' && profile.refuseCap !== null) {
        const { summary, warnings } = await stage.run('batch');
        assert.deepEqual([summary.exitCode, summary.causes], [3, { bad_request: 3 }]);
        assert.match(warnings.join('\n'), /calls the output cap max_tokens.*rowmill retry/s);
        await runAll(stage, 'batch', 3, { reopen: { causes: null, set: {} } });
      } else await runAll(stage, 'batch');
      if (at === 'hosted') assert.deepEqual(stage.stub.refusals, []);
      assert.equal(stage.stub.answered.length, 3);
    });
  }

  if (profile.refuseCap === null && !profile.caps.includes('max_completion_tokens')) {
    test(`${name}: a cap that it takes no notice of is noticed by an answer that is longer, said, and given its other name`, async (t) => {
      const stage = await makeStage(t, profile, { longAnswerTokens: 700 });
      const { warnings } = await stage.run('live');
      assert.match(
        warnings.join('\n'),
        /calls the output cap max_tokens \(an answer had 700 tokens where max_completion_tokens allowed 100\)/,
      );
      fs.appendFileSync(stage.world.path('in.csv'), 'r9,One more\n');
      await stage.run('live');
      const last = stage.stub.answered.at(-1);
      assert.deepEqual([last.max_tokens, last.max_completion_tokens], [100, undefined]);
      assert.equal(stage.stub.answered.length, 4);
    });
  }

  for (const shapeName of profile.shapes) {
    const shape = readShape(shapeName);
    if (shape.kind !== 'call' || !/^(\/v1)?\/chat\/completions$/.test(shape.endpoint)) continue;
    test(`${name}: ${shapeName} ends as it should`, async (t) => {
      let served = 0;
      const isForever = shape.want.run === 'stops';
      const stage = await makeStage(t, profile, {
        intercept(_method, path, body) {
          // What another cap would change is answered so while it is sent.
          if (path !== '/chat/completions' || (!isForever && served > 0)) return null;
          if (/cap-unknown/.test(shapeName) && !body.includes('"max_completion_tokens"')) return null;
          served += 1;
          return shape;
        },
      });
      const startedAt = stage.world.clock().getTime();
      const { summary, warnings } = await stage.run('live');
      assert.ok(served > 0, 'the shape was served');
      const told = [summary.verdict, ...stage.world.said, ...warnings].join('\n');
      const { want } = shape;
      if (isForever) {
        assert.ok(stage.world.clock().getTime() - startedAt < MOST_TO_STOP_MS, 'it stops soon');
        assert.ok([4, 5].includes(summary.exitCode), String(summary.exitCode));
        if (want.exitCode !== undefined) assert.equal(summary.exitCode, want.exitCode, told);
        assert.equal(summary.rows.pending, 3, 'no row is at fault');
      } else if (want.askedAgain === true || want.outcome === 'unknown') {
        assert.deepEqual([summary.exitCode, summary.rows.ok], [0, 3], told);
      } else {
        assert.deepEqual([summary.exitCode, summary.rows.ok, summary.causes], [3, 2, { [want.outcome]: 1 }], told);
      }
      if (isForever && want.says !== undefined) assert.ok(told.includes(want.says), told);
    });
  }

  test(`${name}: is known from at least two places beside its documents`, () => {
    const sources = new Set(profile.shapes.flatMap((shape) => String(readShape(shape).source).split('; ')));
    sources.delete('own variation');
    assert.ok(sources.size >= 2, [...sources].join(', '));
  });
}
