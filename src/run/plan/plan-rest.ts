import { AppError } from '../../core/errors.ts';
import type { LaneName } from '../../core/lane.ts';
import type { NotAsked } from '../../core/summary.ts';
import { selectRows } from '../open/selection.ts';
import type { RunOptions } from '../options.ts';
import { choosePrice } from './choose-lane.ts';
import { type PlanOpenJobOptions, planOpenJob } from './plan-open-job.ts';
import { countAsked } from './spending.ts';

export interface RestOptions extends Pick<PlanOpenJobOptions, 'prepared' | 'opened'> {
  readonly laneName: LaneName;
  readonly options: Pick<RunOptions, 'effects' | 'priceAsOf' | 'signal' | 'commands'>;
}

/** Plans the rows a pilot left out as a run of the whole table would, using what the pilot measured. Null if none are left, or no plan is possible. */
export async function planRest({ prepared, opened, laneName, options }: RestOptions): Promise<NotAsked | null> {
  try {
    const selected = await selectRows({ type: 'all' }, prepared.table, options.signal);
    const asked = { ...options, isFresh: false, reopen: null };
    const { plan } = await planOpenJob({ prepared, opened, selected, countsExactly: false, options: asked });
    const rows = countAsked(plan);
    if (rows === 0) return null;
    const expectedNanoUsd = plan.cost[choosePrice(prepared.compiled.job.mode, laneName)]?.expectedNanoUsd ?? null;
    return { rows, of: plan.rows.in, expectedNanoUsd, command: options.commands.whole ?? null };
  } catch (error) {
    // Problems of other rows are reported by the run that sends them.
    if (error instanceof AppError) return null;
    throw error;
  }
}
