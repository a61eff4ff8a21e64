import { hash } from 'node:crypto';
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { hashFile } from '../../core/disk/hash-file.ts';
import { type Cause, TRANSIENT_CAUSES } from '../../core/outcome.ts';
import type { RowSelection } from '../../core/row.ts';
import type { Summary } from '../../core/summary.ts';
import { mayReadImageFiles } from '../../input/request/compile-images.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Fingerprint, KeptPaths, KeptSummary } from '../open/kept-summary.ts';
import type { PreparedJob } from '../open/prepared-job.ts';
import type { RunOptions } from '../options.ts';

/** Hashes what the run about to start (or to end) is made from. */
export async function makeFingerprint(
  prepared: PreparedJob,
  ledger: Ledger,
  table: { readonly path: string; readonly sha256: string },
  signal: AbortSignal,
): Promise<Fingerprint> {
  const { job, examples } = prepared.compiled;
  const shown = examples.length === 0 ? '' : JSON.stringify(examples.map(({ user, assistant }) => [user, assistant]));
  const { files, fileBytes } = prepared.table;
  // Where one of several files ends is not in their bytes.
  const ends = files.length === 1 ? '' : `\n${fileBytes.join(' ')}`;
  return {
    input: hash('sha256', `${await prepared.table.readSha256(signal)}\n${prepared.compiled.rulesHash}${ends}`),
    job: hash('sha256', `${job.text}\n${JSON.stringify([job.params, job.input, job.write, job.model])}${shown}`),
    answers: hashAnswers(ledger),
    table: table.path,
    tableSha256: table.sha256,
  };
}

/** Recorded files are write-once, so their names and sizes represent their content. */
function hashAnswers({ files, fold }: Ledger): string {
  const batches = [...fold.batches.values()].map(({ id, status, isCollected }) => [id, status, isCollected]);
  return hash('sha256', JSON.stringify([files.map(({ name, bytes }) => [name, bytes]), batches, fold.generation, fold.lastRetryEpoch]));
}

/**
 * The last run's summary, as this invocation's, if nothing at all would change: same input, job, answers and table, and no failed row that a
 * new run would retry. Null if there is anything to do.
 */
export async function findUnchangedRun(prepared: PreparedJob, ledger: Ledger, signal: AbortSignal): Promise<Summary | null> {
  const last = ledger.fold.runs.at(-1);
  if (last === undefined || ledger.fold.currentRun !== null || prepared.compiled.hasCode) return null;
  if (mayReadImageFiles(prepared.compiled.job)) return null;
  const kept = ledger.runFiles.readRunSummary(last.id, () => {}) as KeptSummary | null;
  if (kept === null || kept.fingerprint === null || kept.fingerprint.table !== prepared.compiled.job.write.path) return null;
  if (Object.keys(kept.summary.causes).some((cause) => isReopened(cause as Cause, prepared))) return null;
  return (await isUnchanged(kept.fingerprint, prepared, ledger, signal)) ? asNothingDone(kept.summary) : null;
}

/** The last run's summary, as this invocation's, if it was a pilot of these rows whose table is unchanged and would be written the same again; otherwise null. */
export async function findPilot(
  prepared: PreparedJob,
  ledger: Ledger,
  selection: RowSelection,
  signal: AbortSignal,
): Promise<Summary | null> {
  const { fold, runFiles } = ledger;
  const kept = runFiles.readRunSummary(fold.runs.at(-1)?.id ?? '-', () => {}) as KeptSummary | null;
  if (kept?.pilot === undefined || !isDeepStrictEqual(kept.selection, selection)) return null;
  return (await isUnchanged(kept.pilot, prepared, ledger, signal)) ? asNothingDone(kept.summary) : null;
}

/** The last run's summary, as that of an invocation that looked at other rows and did nothing; null if it left none. */
export function readLastSummary({ fold, runFiles }: Pick<Ledger, 'fold' | 'runFiles'>): Summary | null {
  const kept = runFiles.readRunSummary(fold.runs.at(-1)?.id ?? '-', () => {}) as KeptSummary | null;
  return kept === null ? null : asNothingDone(kept.summary);
}

/** Whether the table, and everything it was made from, is unchanged. */
async function isUnchanged(then: Fingerprint, prepared: PreparedJob, ledger: Ledger, signal: AbortSignal): Promise<boolean> {
  const sha256 = await hashFile(then.table, signal);
  if (sha256 !== then.tableSha256) return false;
  return JSON.stringify(await makeFingerprint(prepared, ledger, { path: then.table, sha256 }, signal)) === JSON.stringify(then);
}

function isReopened(cause: Cause, prepared: PreparedJob): boolean {
  return TRANSIENT_CAUSES.has(cause) || (cause === 'unknown' && prepared.compiled.job.onUnknown === 'retry');
}

/** The same table, but this invocation sent nothing: every answer is reused, nothing was spent, and what the answers cost is saved. */
function asNothingDone(summary: Summary): Summary {
  const { possiblyBilled: _, withoutAnswer: __, ...others } = summary;
  const { rows, cost } = summary;
  return {
    ...others,
    rows: { ...rows, new: 0, reused: rows.new + rows.reused },
    attempts: { total: 0, batch: 0, live: 0, unknown: 0 },
    tokens: { input: 0, cachedInput: 0, output: 0, reasoning: 0 },
    cost: {
      ...cost,
      nanoUsd: 0,
      usd: '0.000000000',
      rowsNanoUsd: 0,
      orphanedNanoUsd: 0,
      failedRowsNanoUsd: 0,
      batchSavedNanoUsd: 0,
      reuseSavedNanoUsd: cost.reuseSavedNanoUsd + cost.rowsNanoUsd - cost.failedRowsNanoUsd,
      possiblyBilledNanoUsd: 0,
      unpricedAttempts: 0,
      estimateNanoUsd: 0,
    },
    batches: [],
  };
}

/** The defaults for later commands; the paths of flags are relative to where they were typed. */
export function keepPaths({ overrides, target }: Pick<RunOptions, 'overrides' | 'target'>): KeptPaths {
  const { cwd, input, out } = overrides;
  const isPath = input !== undefined && input !== null && input !== '-';
  return {
    input: isPath ? resolve(cwd, input) : (input ?? null),
    out: out == null || out === '-' ? (out ?? null) : resolve(cwd, out),
    cwd,
    baseUrl: target.baseUrl,
  };
}
