import type { Job } from '../../core/job.ts';
import type { LaneName } from '../../core/lane.ts';
import type { Plan } from './plan-result.ts';
import { countAsked } from './spending.ts';

/** From this many requests on, `mode: auto` takes the batch lane: below it the day's wait is worth more than the discount. */
export const AUTO_BATCH_REQUESTS = 500;

/** The lane a run sends new requests to. */
export function chooseLane(mode: Job['mode'], { rows }: Pick<Plan, 'rows'>): LaneName {
  if (mode !== 'auto') return mode;
  return countAsked({ rows }) >= AUTO_BATCH_REQUESTS ? 'batch' : 'live';
}
