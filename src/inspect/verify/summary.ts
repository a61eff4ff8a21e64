import { resolve } from 'node:path';
import { DiskError } from '../../core/disk/disk-error.ts';
import { hashFile } from '../../core/disk/hash-file.ts';
import { formatUsd, type RowCounts, type Summary } from '../../core/summary.ts';
import { formatThings } from '../../core/wording/format-count.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { describeDoubts } from '../../output/describe-doubts.ts';
import type { Books, Totals } from '../../run/open/books.ts';
import type { Fingerprint } from '../../run/open/kept-summary.ts';
import type { PreparedJob } from '../../run/open/prepared-job.ts';
import type { PossiblyBilled } from '../../run/send/possibly-billed.ts';
import type { LastRun } from '../last-run.ts';
import type { ReadOptions } from '../open-state.ts';
import { type Check, decideCheck } from './files.ts';
import { checkTableOnDisk } from './table.ts';

/** What the last run stored, and what is computed now. */
export interface SummaryComparison {
  readonly lastRun: LastRun;
  readonly prepared: PreparedJob;
  readonly ledger: Ledger;
  readonly books: Books;
  readonly counts: RowCounts;
  readonly tableSha256: string;
  /** Of what the run would be made from now; null if the last one did not end with its final table. */
  readonly now: Fingerprint | null;
}

/** Compares what the last run stored with what is computed now; only possible while its table and job are unchanged. */
export function checkSummary(comparison: SummaryComparison): Check {
  const { lastRun, prepared, ledger, books, now } = comparison;
  const { summary, fingerprint } = lastRun;
  const name = 'summary';
  if (fingerprint === null || now === null)
    return { name, status: 'skipped', detail: `run ${summary.run} did not end with its final table` };
  if (now.input !== fingerprint.input || now.job !== fingerprint.job || now.answers !== fingerprint.answers) {
    return {
      name,
      status: 'skipped',
      detail: `the table, the job, the answers or the rules that judge them have changed since run ${summary.run}`,
    };
  }
  if (lastRun.prices !== undefined && lastRun.prices.ownSha256 !== prepared.customPricesSha256) {
    return { name, status: 'skipped', detail: `prices.yaml has changed since run ${summary.run}` };
  }
  const faults = [
    ...differences(summary.rows, comparison.counts),
    ...(summary.cost.nanoUsd === books.ofRun(summary.run).nanoUsd ? [] : ['cost']),
    ...(summary.ledger.nanoUsd === books.life.nanoUsd ? [] : ['life cost']),
    ...(summary.ledger.attempts === countLifeAttempts(ledger, books) ? [] : ['life attempts']),
    ...(fingerprint.tableSha256 === comparison.tableSha256 ? [] : ['the bytes of the table']),
  ];
  const life = `${formatThings(summary.ledger.attempts, 'attempt')} and ${showUsd(books.life)} over the ledger's life`;
  return decideCheck(
    name,
    faults.length === 0,
    faults.length === 0 ? `run ${summary.run} comes out the same, ${life}` : `differs in ${faults.join(', ')}`,
  );
}

export interface DoubtsComparison extends Pick<SummaryComparison, 'now'> {
  /** Null if there is none with a summary. */
  readonly lastRun: LastRun | null;
  /** The calls whose end is not known yet, in words; null if there are none. */
  readonly openCalls: string | null;
}

/**
 * Names what the run may have been billed for without an answer, and checks that its summary listed all of it. What became known since, such as a
 * batch that reappeared, does not make the summary wrong; nor do rules that changed since, such as which lines say nothing about their call.
 */
export function checkPossiblyBilled(
  { items, nanoUsd, callsByJobOfNow }: PossiblyBilled,
  { lastRun, now, openCalls }: DoubtsComparison,
): Check {
  const name = 'possibly billed';
  const found = items.reduce((sum, { calls }) => sum + calls, 0);
  const other = openCalls === null ? '' : 'other ';
  const ended =
    found === 0
      ? `no ${other}call of the run went without an answer${openCalls === null ? ', so none can have been billed unseen' : ''}`
      : `${formatThings(found, 'call')} of the run without an answer, in no sum above: ${nanoUsd === 0 && items.some((item) => item.nanoUsd === null) ? 'an unknown amount' : `at most $${formatUsd(nanoUsd)}`}: ${describeDoubts(items).join('; ')}${describeUnkept(callsByJobOfNow)}`;
  const detail = openCalls === null ? ended : `${openCalls}; ${ended}`;

  const told = lastRun?.summary.attempts.unknown;
  if (told === undefined || now === null || now.input !== lastRun?.fingerprint?.input || found <= told)
    return decideCheck(name, true, detail);
  return decideCheck(name, false, `the summary reports ${told}; ${detail}`);
}

function describeUnkept(calls: number): string {
  if (calls === 0) return '';
  return `; an earlier version announced ${formatThings(calls, 'call')} of these without recording limits, so the present job bounds them`;
}

/** Exact dollars; never 0 for an unknown amount. */
export function showUsd({ nanoUsd, unpricedAttempts }: Pick<Totals, 'nanoUsd' | 'unpricedAttempts'>): string {
  return nanoUsd === 0 && unpricedAttempts > 0 ? 'an unknown amount' : `$${formatUsd(nanoUsd)}`;
}

/** Attempts with a line, and those without one: refused in validation, or never answered. */
function countLifeAttempts({ fold }: Ledger, { life }: Books): number {
  let attempts = life.batchAttempts + life.liveAttempts;
  for (const { rejected, unknown } of fold.answerlessAttempts.values()) attempts += rejected + unknown;
  return attempts;
}

function differences(kept: Summary['rows'], derived: RowCounts): readonly string[] {
  return (Object.keys(kept) as (keyof RowCounts)[]).filter((word) => kept[word] !== derived[word]).map((word) => `rows ${word}`);
}

/** Checks the table written by the last run against its summary. */
export async function checkWrittenTable(
  options: ReadOptions,
  { summary, fingerprint, paths }: LastRun,
  { compiled }: PreparedJob,
): Promise<Check> {
  const path = fingerprint?.table ?? resolve(paths.cwd, summary.outputs.table ?? '');
  const onDisk = await hashFile(path, options.signal).catch((error: unknown) => {
    if (error instanceof DiskError) return error;
    throw error;
  });
  if (onDisk instanceof DiskError) return decideCheck('table', false, onDisk.what);
  if (fingerprint !== null && onDisk !== null && onDisk !== fingerprint.tableSha256) {
    return decideCheck('table', false, `${path} has changed since run ${summary.run} wrote it; run the job again to rewrite it`);
  }
  const expected = { rows: summary.rows.in, nanoUsd: summary.cost.rowsNanoUsd, job: compiled.job };
  return checkTableOnDisk(path, expected, options.signal);
}
