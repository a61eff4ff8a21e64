import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { ProviderProfile } from './provider-profiles.ts';
import { type ProviderStub, type StubOptions, startProviderStub } from './provider-stub.ts';
import { makeRows, makeWorld, type RunChange, type World } from './run-world.ts';

/** A run that works ends in this time of its own clock, one that cannot work stops in that. */
export const MOST_MS = 10_000;
export const MOST_TO_STOP_MS = 5_000;

export type Mode = 'live' | 'batch';

/** A job of three rows at a stub. */
export interface ProviderStage {
  readonly world: World;
  readonly stub: ProviderStub;
  run(mode: Mode, change?: RunChange): ReturnType<World['run']>;
  /** Runs to the end with all rows ok, and holds the run to its time. */
  runAll(mode: Mode, rows?: number, change?: RunChange): ReturnType<World['run']>;
}

export interface StageOptions extends StubOptions {
  /** `here`: at its address on this machine, where everything is learned. `hosted`: at the provider's own, where it is known beforehand. */
  readonly at?: 'hosted' | 'here';
  /** Where the job is sent instead, below the stub's origin. */
  readonly path?: string;
}

export async function makeProviderStage(t: TestContext, profile: ProviderProfile, options: StageOptions = {}): Promise<ProviderStage> {
  const stub = await startProviderStub(t, profile, options);
  const world = await makeWorld(t, { rows: makeRows(3), job: 'model: some-model' });
  const isHosted = options.at === 'hosted';
  // One time for everything: a wait of a minute is no minute of this machine.
  const effects = { ...world.effects, monotonicMs: () => world.clock().getTime() };

  async function run(mode: Mode, change: RunChange = {}): ReturnType<World['run']> {
    const before = process.env.HTTP_PROXY;
    if (isHosted) process.env.HTTP_PROXY = stub.proxyUrl;
    const here = options.path === undefined ? stub.baseUrl : `${new URL(stub.baseUrl).origin}${options.path}`;
    try {
      const baseUrl = isHosted ? (profile.hosted as string) : here;
      return await world.run({ baseUrl, effects, overrides: { cwd: world.directory, input: null, out: null, mode }, ...change });
    } finally {
      if (before === undefined) delete process.env.HTTP_PROXY;
      else process.env.HTTP_PROXY = before;
    }
  }

  return {
    world,
    stub,
    run,
    async runAll(mode, rows = 3, change = {}) {
      const startedAt = world.clock().getTime();
      const ended = await run(mode, change);
      const tookMs = world.clock().getTime() - startedAt;
      assert.deepEqual([ended.summary.exitCode, ended.summary.rows.ok], [0, rows], JSON.stringify([ended.summary.causes, ended.warnings]));
      if (mode === 'live') assert.ok(tookMs < MOST_MS, `${tookMs} ms`);
      return ended;
    },
  };
}
