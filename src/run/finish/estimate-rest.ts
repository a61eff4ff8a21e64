import type { NotAsked } from '../../core/summary.ts';
import type { RowTotals } from '../../output/summary-counter.ts';

/** A run that stopped, and what it has paid for. */
export interface StoppedRun extends Pick<RowTotals, 'rows' | 'requests' | 'unsent' | 'paidRows'> {
  /** Cost of its rows; null if a part of it is unknown. */
  readonly rowsNanoUsd: number | null;
  /** Its expected cost when it started; null if unknown. */
  readonly estimateNanoUsd: number | null;
  /** The command that continues it. */
  readonly command: string;
}

/**
 * What a stopped run still has to send: rows in its batches, and in those of other runs, are not part of it. Priced by the mean cost of the rows it
 * has paid for, from the first one on, as a plan measures answers; without any, by its estimate. Null if nothing is left to send.
 */
export function estimateRest({ rows, requests, unsent, paidRows, rowsNanoUsd, estimateNanoUsd, command }: StoppedRun): NotAsked | null {
  if (unsent.rows === 0) return null;
  const asEstimated = estimateNanoUsd === null ? null : estimateNanoUsd / requests;
  const meanNanoUsd = paidRows > 0 && rowsNanoUsd !== null ? rowsNanoUsd / paidRows : asEstimated;
  const expectedNanoUsd = meanNanoUsd === null ? null : Math.round(meanNanoUsd * unsent.requests);
  return { ...unsent, of: rows.in, expectedNanoUsd, command };
}
