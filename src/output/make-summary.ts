import type { Job } from '../core/job.ts';
import { type CostSummary, formatSpentUsd, type RowCounts, type Summary } from '../core/summary.ts';
import { decideVerdict, type Stop } from './verdict.ts';

/** The input of a summary: its own fields except those derived from others. */
export interface SummaryFacts extends Omit<Summary, 'schema' | 'verdict' | 'exitCode' | 'cost' | 'attempts'> {
  readonly attempts: Omit<Summary['attempts'], 'total'>;
  readonly cost: Omit<CostSummary, 'nanoUsd' | 'usd'>;
  readonly failIf: Job['failIf'];
  /** Why the run ended early; null if it came to its end. */
  readonly stop: Stop | null;
}

/**
 * Makes the summary object.
 * @throws Error if the rows do not add up: a bug, never caused by the table
 */
export function makeSummary(facts: SummaryFacts): Summary {
  const { failIf, stop, rows, cost, attempts, job, run, simulated, model, ...rest } = facts;
  assertIdentities(rows);
  const nanoUsd = cost.rowsNanoUsd + cost.orphanedNanoUsd;
  return {
    schema: 'rowmill.summary/1',
    job,
    run,
    simulated,
    model,
    ...decideVerdict(rows, failIf, stop, rest.causes.where),
    rows,
    attempts: { total: attempts.batch + attempts.live, ...attempts },
    cost: { nanoUsd, usd: formatSpentUsd(nanoUsd, cost.unpricedAttempts), ...cost },
    ...rest,
  };
}

function assertIdentities(rows: RowCounts): void {
  const { ok, failed, skipped, pending } = rows;
  if (rows.in !== ok + failed + skipped + pending) {
    throw new Error(`rows do not add up: ${rows.in} in, ${ok} ok + ${failed} failed + ${skipped} skipped + ${pending} pending`);
  }
  if (ok !== rows.new + rows.reused + rows.duplicate) {
    throw new Error(`answers do not add up: ${ok} ok, ${rows.new} new + ${rows.reused} reused + ${rows.duplicate} duplicate`);
  }
}
