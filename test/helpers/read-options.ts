import * as path from 'node:path';
import type { ReadOptions } from '../../src/inspect/open-state.ts';
import type { World } from './run-world.ts';

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
