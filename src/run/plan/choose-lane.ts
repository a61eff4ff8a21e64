import type { Mode } from '../../core/job.ts';
import type { LaneName } from '../../core/lane.ts';
import type { Plan } from './plan-result.ts';
import { countAsked } from './spending.ts';

/** From this many requests on, `mode: auto` uses the batch lane: below it the day's wait is worth more than the discount. */
export const AUTO_BATCH_REQUESTS = 500;

/** The lane for new requests of a run. */
export function chooseLane(mode: Mode, { rows }: Parameters<typeof countAsked>[0]): LaneName {
  if (mode !== 'auto') return mode === 'batch' ? 'batch' : 'live';
  return countAsked({ rows }) >= AUTO_BATCH_REQUESTS ? 'batch' : 'live';
}

/** Which of a plan's prices applies: live calls of `mode: flex` have their own. */
export function choosePrice(mode: Mode, lane: LaneName): keyof Plan['cost'] {
  return mode === 'flex' && lane === 'live' ? 'flex' : lane;
}
