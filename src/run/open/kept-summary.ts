import type { RowSelection } from '../../core/row.ts';
import type { Summary } from '../../core/summary.ts';
import type { LedgerFold } from '../../ledger/events/fold.ts';
import type { LeaveOut, RunFiles } from '../../ledger/runs.ts';

/** What a finished run's table was made from, and the table itself, by their hashes: kept in the run's summary file. */
export interface Fingerprint {
  readonly input: string;
  readonly job: string;
  /** Everything recorded in the ledger that can change a table. */
  readonly answers: string;
  /** Absolute path and hash of the table written. */
  readonly table: string;
  readonly tableSha256: string;
}

/** What `runs/<run>/summary.json` holds. */
export interface KeptSummary {
  readonly summary: Summary;
  /** Null when the run did not end with its final table. */
  readonly fingerprint: Fingerprint | null;
  readonly paths: KeptPaths;
  /** Which rows it was about; absent in what early versions kept. */
  readonly selection?: RowSelection;
  /** The prices its money was counted with; absent in what early versions kept. */
  readonly prices?: KeptPrices;
  /** The program that kept it; absent in what early versions kept. */
  readonly version?: string;
}

/** Which prices a run counted with. */
export interface KeptPrices {
  /** The day of `--price-as-of`; null: the day of each answer. */
  readonly asOf: string | null;
  /** Stands for what the user's own `prices.yaml` said. */
  readonly ownSha256: string;
}

/** What a run was told by flags, kept so that later commands look at the same table. Paths are absolute. */
export interface KeptPaths {
  /** `-` for standard input; null: as the job says. */
  readonly input: string | null;
  /** `-` for standard output. */
  readonly out: string | null;
  /** The working directory the summary's paths are relative to. */
  readonly cwd: string;
  /** Whom it talked to; null for the default API and the built-in simulator, which need no address. */
  readonly baseUrl: string | null;
}

/**
 * The newest run that kept a summary, whether it has ended or is to be continued.
 * @param leaveOut as of `RunFiles`
 */
export function findLastKept(fold: LedgerFold, runFiles: Pick<RunFiles, 'readRunSummary'>, leaveOut: LeaveOut | null): KeptSummary | null {
  for (const { id } of fold.runs.toReversed()) {
    const kept = runFiles.readRunSummary(id, leaveOut) as KeptSummary | null;
    if (kept !== null) return kept;
  }
  return null;
}
