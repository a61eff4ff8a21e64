import type { LedgerFold } from '../ledger/events/fold.ts';
import type { RunFiles } from '../ledger/runs.ts';
import type { KeptSummary } from '../run/open/kept-summary.ts';

/**
 * Runs that no real model answered. What a run stored decides, whatever its address; if it stored nothing, its events do, and otherwise the
 * latest run that stored something.
 */
export function findSimulatedRuns({ runs }: Pick<LedgerFold, 'runs'>, runFiles: Pick<RunFiles, 'readRunSummary'>): ReadonlySet<string> {
  const kept = new Map(runs.map(({ id }) => [id, (runFiles.readRunSummary(id, () => {}) as KeptSummary | null)?.summary.simulated]));
  const latest = runs.findLast(({ id }) => kept.get(id) !== undefined);
  const isLatestSimulated = latest !== undefined && kept.get(latest.id) === true;
  return new Set(runs.filter(({ id, simulated }) => kept.get(id) ?? (simulated || isLatestSimulated)).map(({ id }) => id));
}
