import type { RowSelection } from '../../src/core/row.ts';
import { startTimer } from '../../src/host/real-effects.ts';
import { readOwnIdentity } from '../../src/ledger/disk/process-identity.ts';
import { type PlanOptions, planJob } from '../../src/run/plan/plan.ts';
import type { Plan } from '../../src/run/plan/plan-result.ts';
import type { World } from './run-world.ts';

/** The plan of a world's job over what its runs left. */
export function planWorld(world: World, selection: RowSelection = { type: 'all' }, change: Partial<PlanOptions> = {}): Promise<Plan> {
  return planJob({
    jobFile: world.path('job.yaml'),
    overrides: { cwd: world.directory, input: null, out: null, mode: null },
    stateRoot: null,
    stdin: null,
    target: { origin: 'simulator' },
    selection,
    isFresh: false,
    reopen: null,
    effects: {
      clock: world.clock,
      monotonicMs: () => performance.now(),
      sleep: async () => {},
      startTimer,
      random: () => 0.5,
      randomId: () => 'planned',
      processIdentity: readOwnIdentity(),
    },
    priceAsOf: null,
    signal: new AbortController().signal,
    ...change,
  });
}
