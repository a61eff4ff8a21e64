import { EXIT } from '../../core/errors.ts';
import { CAUSES } from '../../core/outcome.ts';
import type { Summary } from '../../core/summary.ts';
import { escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import { describeNotAsked, formatCount, formatThings } from '../../output/format-numbers.ts';
import { describeEmptyRows } from '../../output/verdict.ts';

export interface IdleRetryOptions {
  /** The causes that were to be retried; null for all. */
  readonly causes: ReadonlySet<string> | null;
  /** `rowmill retry JOB`. */
  readonly retry: string;
  /** The flags that select its rows, if the last run was about others; else empty. */
  readonly among: string;
}

/**
 * What a retry without anything to retry found, without a final newline: the rows it examined, or those of the last run if it examined others.
 * There was no run, and so no figures of one.
 */
export function renderIdleRetry(summary: Summary, { causes, retry, among }: IdleRetryOptions): string {
  const { rows, notAsked } = summary;
  const skipped = rows.skipped - (summary.causes.where ?? 0);
  const ends = [
    `${formatCount(rows.ok)} answered`,
    ...(rows.failed === 0 ? [] : [`${formatCount(rows.failed)} failed (${listCauses(summary, true)}; ${retry} sends them again)`]),
    ...(skipped === 0 ? [] : [`${formatCount(skipped)} never sent (${listCauses(summary, false)})`]),
  ];
  const none = causes === null ? 'no failed row to retry' : `no row to retry that failed with ${[...causes].join(' or ')}`;
  const counted = formatThings(rows.in - (summary.causes.where ?? 0), 'row');
  const found =
    among === ''
      ? `${none} among ${counted}${notAsked === undefined ? '' : ' of the last run'}`
      : `${none} among the rows of the table that ${among} selects. Of ${counted} of the last run`;
  const lines = [`${summary.job}: ${found}: ${ends.join(', ')}. Nothing was sent, nothing was spent`];
  if (notAsked !== undefined)
    lines.push(`Not asked yet: ${describeNotAsked(notAsked)}${notAsked.command === null ? '' : `: ${notAsked.command}`}`);
  if (summary.exitCode === EXIT.failedRows) lines.push(explainExit(summary));
  return lines.map(escapeLineForTerminal).join('\n');
}

function listCauses({ causes }: Summary, areFailed: boolean): string {
  const listed = Object.entries(causes).filter(
    ([cause]) => cause !== 'where' && (CAUSES as readonly string[]).includes(cause) === areFailed,
  );
  return listed.map(([cause, count]) => `${formatCount(count)} ${cause}`).join(', ');
}

/** The exit code describes the table: a script must not mistake a table with gaps for a complete one. */
function explainExit(summary: Summary): string {
  const remedy = describeEmptyRows(summary)?.remedy;
  return `Exit 3, as for the run that wrote the table: ${summary.verdict}, more than fail_if allows${remedy === undefined ? '' : `; ${remedy}`}`;
}
