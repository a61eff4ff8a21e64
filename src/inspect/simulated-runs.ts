import type { LedgerFold } from '../ledger/events/fold.ts';
import type { RunFiles } from '../ledger/runs.ts';
import type { KeptSummary } from '../run/open/kept-summary.ts';

/**
 * Which runs no real model answered: each by what it kept, whatever its address; one that kept nothing by what its events say, else as the
 * latest that kept something.
 */
export function findSimulatedRuns({ runs }: Pick<LedgerFold, 'runs'>, runFiles: Pick<RunFiles, 'readRunSummary'>): ReadonlySet<string> {
  const kept = new Map(runs.map(({ id }) => [id, (runFiles.readRunSummary(id, () => {}) as KeptSummary | null)?.summary.simulated]));
  const latest = runs.findLast(({ id }) => kept.get(id) !== undefined);
  const isLatestSimulated = latest !== undefined && kept.get(latest.id) === true;
  return new Set(runs.filter(({ id, simulated }) => kept.get(id) ?? (simulated || isLatestSimulated)).map(({ id }) => id));
}
