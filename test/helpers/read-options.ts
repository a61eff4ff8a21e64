import * as path from 'node:path';
import { startTimer } from '../../src/host/real-effects.ts';
import type { ReadOptions } from '../../src/inspect/open-state.ts';
import { createProvider } from '../../src/openai/provider.ts';
import type { Target } from '../../src/run/open/target.ts';
import { CANARY_KEY, type World } from './run-world.ts';

/** What a command that only looks is told of a world. */
export function makeReadOptionsOf(world: World): ReadOptions {
  return {
    jobFile: path.join(world.directory, 'job.yaml'),
    cwd: world.directory,
    input: null,
    stateRoot: null,
    origin: 'simulator',
    leaveOut: () => {},
    effects: world.effects,
    signal: new AbortController().signal,
  };
}

/** The simulator of a world, as a command reaches it. */
export function makeTargetOf(world: World): Target {
  return {
    origin: 'simulator',
    baseUrl: null,
    connect: async () => ({
      provider: await createProvider({ apiKey: CANARY_KEY, baseUrl: world.simulator.url, clock: world.clock, startTimer }),
      close: async () => {},
    }),
  };
}
