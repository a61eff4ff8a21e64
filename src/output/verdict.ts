import { EXIT, type ExitCode } from '../core/errors.ts';
import type { Job, Threshold } from '../core/job.ts';
import type { RowCounts, Summary } from '../core/summary.ts';
import { formatCount, formatThings } from './format-numbers.ts';

/** Why a run ended before its rows did. */
export interface Stop {
  readonly exitCode: Exclude<ExitCode, typeof EXIT.done | typeof EXIT.failedRows | typeof EXIT.locked>;
  /** A few words: `budget reached`, `account quota reached`, `interrupted`. */
  readonly why: string;
  /** What the next command has to change, because it stopped the run; absent if the same command continues it. */
  readonly change?: CommandChange;
}

/** Flags that would stop the command again. Each is absent if it may stay. */
export interface CommandChange {
  /** A budget with which the run could send all remaining rows. */
  readonly maxNanoUsd?: number;
  /** The model that was probably meant, or that follows one which has ended. */
  readonly model?: string;
  /** Where the API probably is, if there is none at the address. */
  readonly baseUrl?: string;
  /** A lane that this address supports, or may support. */
  readonly mode?: 'live' | 'batch';
  /** Nothing more may be sent live to keep the deadline. */
  readonly hasDeadline?: false;
}

/** How a run ended: words and exit code are one value, so that they cannot disagree. */
export interface Verdict {
  readonly verdict: string;
  readonly exitCode: ExitCode;
}

/**
 * Judges the table: a stop first, then pending rows, then failed and skipped rows against `fail_if`.
 * @param notMeant rows that do not match `input.where`: they are skipped, and count towards no limit
 */
export function decideVerdict(rows: RowCounts, failIf: Job['failIf'], stop: Stop | null, notMeant = 0): Verdict {
  if (stop !== null) return { verdict: stop.why, exitCode: stop.exitCode };
  if (rows.pending > 0) return { verdict: 'not finished', exitCode: EXIT.notFinished };
  const tooManyFailed = exceeds(rows.failed, rows.in - notMeant, failIf.failedRows);
  const tooManySkipped = exceeds(rows.skipped - notMeant, rows.in - notMeant, failIf.skippedRows);
  if (tooManyFailed && tooManySkipped) return { verdict: 'failed and skipped rows', exitCode: EXIT.failedRows };
  if (tooManyFailed) return { verdict: 'failed rows', exitCode: EXIT.failedRows };
  if (tooManySkipped) return { verdict: 'skipped rows', exitCode: EXIT.failedRows };
  return { verdict: 'done', exitCode: EXIT.done };
}

function exceeds(count: number, rowsIn: number, threshold: Threshold): boolean {
  switch (threshold.type) {
    case 'count':
      return count > threshold.over;
    case 'share':
      return count > threshold.over * rowsIn;
    default:
      return threshold satisfies never;
  }
}

/** How a summary describes a run in which nothing failed, although it ends with exit 3. */
export interface EmptyRows {
  /** `118 of 120 rows answered; 2 empty, never sent`. */
  readonly headline: string;
  /** In place of the verdict: `done, 2 empty`. */
  readonly verdict: string;
  /** How the same run ends with exit 0. */
  readonly remedy: string;
}

/**
 * Rows whose cells are all empty contain nothing to ask about: if only these have no answer, nothing failed. `fail_if` still counts them as
 * skipped. Null for every other run, and if no row has an answer.
 */
export function describeEmptyRows({ rows, causes, exitCode }: Pick<Summary, 'rows' | 'causes' | 'exitCode'>): EmptyRows | null {
  const { empty = 0, where = 0 } = causes;
  if (exitCode !== EXIT.failedRows || rows.ok === 0 || empty === 0 || rows.ok + empty + where < rows.in) return null;
  const meant = rows.in - where;
  return {
    headline: `${formatCount(rows.ok)} of ${formatThings(meant, 'row')} answered; ${formatCount(empty)} empty, never sent`,
    verdict: nameEmptyRows(empty),
    remedy: `skipped_rows: "> ${Math.ceil((empty / meant) * 100)}%" under fail_if in the job makes it exit 0`,
  };
}

/** The verdict on a run that answered all rows but empty ones. */
export function nameEmptyRows(empty: number): string {
  return `done, ${formatCount(empty)} empty`;
}
