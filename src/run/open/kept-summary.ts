import type { RowSelection } from '../../core/row.ts';
import type { RunCommand } from '../../core/run-command.ts';
import type { Summary } from '../../core/summary.ts';
import type { LedgerFold } from '../../ledger/events/fold.ts';
import type { LeaveOut, RunFiles } from '../../ledger/runs.ts';

/** What a finished run's table was made from, and the table itself, by their hashes: stored in the run's summary file. */
export interface Fingerprint {
  readonly input: string;
  readonly job: string;
  /** Everything recorded in the ledger that can change a table. */
  readonly answers: string;
  /** Absolute path and hash of the table written. */
  readonly table: string;
  readonly tableSha256: string;
}

/** The content of `runs/<run>/summary.json`. */
export interface KeptSummary {
  readonly summary: Summary;
  /** Null if the run did not end with its final table. */
  readonly fingerprint: Fingerprint | null;
  /** The same for a completed pilot, whose table is a partial one; absent for every other run. */
  readonly pilot?: Fingerprint;
  readonly paths: KeptPaths;
  /** Where its commands are typed; null for calls in a program; absent in early versions, as is `at`. */
  readonly typedIn?: string | null;
  /** When it was written: an invocation that began later has left none. */
  readonly at?: string;
  /** The rows it covered; absent in early versions. */
  readonly selection?: RowSelection;
  /** The prices its cost was computed with; absent in early versions. */
  readonly prices?: KeptPrices;
  /** The program that wrote it; absent in early versions. */
  readonly version?: string;
}

/** In the folder of a continued run: the rows of its last invocation, which may have no summary. */
export const SELECTION_FILE = 'selection.json';

/** The rows of a run's last invocation, if it continued the run with other rows; null if none did, or the file cannot be read. */
export function readContinuedSelection({ readRunFile }: Pick<RunFiles, 'readRunFile'>, run: string): RowSelection | null {
  try {
    return JSON.parse(readRunFile(run, SELECTION_FILE, () => {}) ?? 'null') as RowSelection | null;
  } catch {
    return null;
  }
}

/** In the folder of a continued run: its last invocation. */
export const INVOCATION_FILE = 'invocation.json';

/** An invocation that continued a run; it may be killed before it has a summary. */
export interface KeptInvocation {
  readonly at: string;
  readonly command: RunCommand;
}

/** Null if none has continued the run, or the file cannot be read. */
export function readKeptInvocation({ readRunFile }: Pick<RunFiles, 'readRunFile'>, run: string): KeptInvocation | null {
  try {
    return JSON.parse(readRunFile(run, INVOCATION_FILE, () => {}) ?? 'null') as KeptInvocation | null;
  } catch {
    return null;
  }
}

/** The prices a run used. */
export interface KeptPrices {
  /** The day of `--price-as-of`; null: the day of each answer. */
  readonly asOf: string | null;
  /** Identifies the content of the user's `prices.yaml`. */
  readonly ownSha256: string;
}

/** The flags of a run, stored so that later commands use the same table. Paths are absolute. */
export interface KeptPaths {
  /** `-` for standard input; null: as in the job. */
  readonly input: string | null;
  /** `-` for standard output. */
  readonly out: string | null;
  /** The working directory the summary's paths are relative to. */
  readonly cwd: string;
  /** Its provider; null for the default API and the built-in simulator, which need no address. */
  readonly baseUrl: string | null;
}

/**
 * The newest run with a summary, whether it has ended or is to be continued.
 * @param leaveOut as in `RunFiles`
 */
export function findLastKept(fold: LedgerFold, runFiles: Pick<RunFiles, 'readRunSummary'>, leaveOut: LeaveOut | null): KeptSummary | null {
  for (const { id } of fold.runs.toReversed()) {
    const kept = runFiles.readRunSummary(id, leaveOut) as KeptSummary | null;
    if (kept !== null) return kept;
  }
  return null;
}
