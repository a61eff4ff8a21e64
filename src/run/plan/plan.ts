import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openJobLedger } from '../open/open-job-ledger.ts';
import { type PrepareOptions, prepareJob } from '../open/prepare.ts';
import { selectRows } from '../open/selection.ts';
import type { RunOptions } from '../options.ts';
import { planOpenJob } from './plan-open-job.ts';
import type { Plan } from './plan-result.ts';

export interface PlanOptions
  extends PrepareOptions,
    Pick<RunOptions, 'selection' | 'effects' | 'priceAsOf' | 'isFresh' | 'reopen'>,
    Partial<Pick<RunOptions, 'maxNanoUsd' | 'deadline'>> {
  /** How many requests to show in full; absent: only the first. */
  readonly shownRequests?: number;
}

/**
 * What a run with these options would do, from the job, the table and the state directory alone. Takes no lock and sends nothing.
 * @throws UsageError with every problem of the job and the first of the table
 */
export async function planJob(options: PlanOptions): Promise<Plan> {
  const prepared = await prepareJob({ claimStdout: () => {}, ...options, clock: options.effects.clock, isToWrite: true });
  const { shownRequests = null } = options;
  const selected = await selectRows(options.selection, prepared.table, options.signal);
  if (!existsSync(join(prepared.stateDirectory, 'events.jsonl'))) {
    return (await planOpenJob({ prepared, opened: null, selected, countsExactly: true, shownRequests, options })).plan;
  }
  const opened = await openJobLedger(prepared, { ...options, origin: options.target.origin, access: 'read' });
  try {
    return (await planOpenJob({ prepared, opened, selected, countsExactly: true, shownRequests, options })).plan;
  } finally {
    await opened.ledger.close();
  }
}
