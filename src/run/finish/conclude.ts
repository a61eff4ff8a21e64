import { rm } from 'node:fs/promises';
import { relative } from 'node:path';
import { showModels } from '../../core/models/split-by-model.ts';
import { explainHold } from '../../core/outcome.ts';
import type { RowSelection } from '../../core/row.ts';
import type { NotAsked, Summary } from '../../core/summary.ts';
import { VERSION } from '../../core/version.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { pricesAsOf } from '../../money/price-overrides.ts';
import { formatThings } from '../../output/format-numbers.ts';
import { makeSummary } from '../../output/make-summary.ts';
import { reportPath } from '../../output/output-paths.ts';
import { createSummaryCounter } from '../../output/summary-counter.ts';
import type { Stop } from '../../output/verdict.ts';
import { type Books, describeLife, savingsOf, showWithoutAnswer, type Totals } from '../open/books.ts';
import type { KeptPaths, KeptSummary } from '../open/kept-summary.ts';
import { createStepOf } from '../open/next-step.ts';
import type { PreparedJob } from '../open/prepared-job.ts';
import type { KeyRow } from '../open/row-keys.ts';
import type { SelectedRows } from '../open/selection.ts';
import type { NextCommands } from '../options.ts';
import type { DeadlineOptions } from '../send/deadline.ts';
import { findPossiblyBilled } from '../send/possibly-billed.ts';
import { readAnomalyCosts } from './anomaly-costs.ts';
import { estimateRest } from './estimate-rest.ts';
import { makeFingerprint } from './fingerprint.ts';
import { sumOrphaned } from './orphaned.ts';
import type { WarningLog } from './warning-log.ts';
import { countOutputs, writeOutputs } from './write-outputs.ts';
import { openReporter } from './write-report.ts';

export interface ConcludeOptions {
  readonly prepared: PreparedJob;
  readonly ledger: Ledger;
  readonly books: Books;
  readonly selected: SelectedRows;
  readonly selection: RowSelection;
  /** The rows a pilot left out; null if there are none. */
  readonly notAsked: NotAsked | null;
  /** Called with what every selected row asks; absent if nobody needs it. */
  readonly watchRows?: (keyRow: KeyRow) => KeyRow;
  readonly run: string;
  readonly simulated: boolean;
  /** Null if the run came to its end. */
  readonly stop: Stop | null;
  /** Whether the run was refused before it achieved anything: then nothing is written, and nothing of it is kept. */
  readonly isRefused: boolean;
  readonly estimateNanoUsd: number | null;
  /** Overrides the job's budget; null for the job's. */
  readonly maxNanoUsd: number | null;
  /** A day whose prices count; null for the day of each answer. */
  readonly priceAsOf: string | null;
  /** The deadline given to this invocation. */
  readonly deadline?: DeadlineOptions | null;
  /** The next command for each way a run can end. */
  readonly commands: NextCommands;
  readonly warn: (message: string) => void;
  /** Everything passed to `warn`, and before. */
  readonly warnings: WarningLog;
  readonly cwd: string;
  /** The flags that later commands use as their default. */
  readonly paths: KeptPaths;
  readonly clock: () => Date;
  /** As in `KeyedTable`; absent if no row carries a key. */
  readonly wereKeysRight?: () => boolean;
  readonly signal: AbortSignal;
}

/**
 * Writes the tables, checks that rows and cost add up, stores the summary and ends the run unless it is to be continued.
 * @returns null if the input changed during the run: rows are due that were never sent
 */
export async function concludeRun(options: ConcludeOptions): Promise<Summary | null> {
  const { prepared, ledger, books, run, stop, simulated } = options;
  const { job } = prepared.compiled;
  const counter = createSummaryCounter((row) => savingsOf(row, books, job));
  const isFinal = stop === null && options.selected.isAll;
  const stepOf = createStepOf(ledger, job, 'reading');
  const reporter = await openReporter({
    ...options,
    budgetNanoUsd: options.maxNanoUsd ?? job.budget.nanoUsd,
  });
  const writing = { ...options, ...prepared, isFinal, counter, reportRows: reporter.rows, stepOf, costOf: books.costOf };
  const written = options.isRefused ? await countOutputs(writing) : await writeOutputs(writing);
  if (written === null) return null;

  const report = stop === null && written.table !== null ? reportPath(written.table) : null;
  // The page next to it is about an earlier table.
  if (report === null && written.table !== null) await rm(reportPath(written.table), { force: true });
  const counted = counter.read();
  const totals = books.ofRun(run);
  const orphanedNanoUsd = await readOrphaned(options, totals.nanoUsd - counted.rowsNanoUsd);
  const answerless = ledger.fold.answerlessAttempts.get(run) ?? { rejected: 0, unknown: 0 };
  const unanswered = await findPossiblyBilled(options);
  sayHeldRows(options);
  const priceNote = prepared.priceNoteAt(options.priceAsOf ?? options.clock().toISOString());
  const show = (path: string | null) => (path === null ? null : relative(options.cwd, path) || path);
  const isUnpriced = totals.unpricedAttempts > 0;
  const notAsked =
    stop === null || options.isRefused
      ? options.notAsked
      : estimateRest({
          ...counted,
          rowsNanoUsd: isUnpriced ? null : counted.rowsNanoUsd,
          estimateNanoUsd: options.estimateNanoUsd,
          command: showContinue(options, stop),
        });
  const summary = makeSummary({
    job: job.name,
    run,
    simulated,
    model: showModels(job),
    rows: counted.rows,
    causes: counted.causes,
    ...(counted.unwrapped === 0 ? {} : { unwrapped: counted.unwrapped }),
    ...(counted.unmarked === 0 ? {} : { unmarked: counted.unmarked }),
    ...describeTable(prepared),
    attempts: {
      batch: totals.batchAttempts + answerless.rejected + answerless.unknown + unanswered.batchCalls,
      live: totals.liveAttempts + unanswered.liveCalls,
      unknown: totals.unknownAttempts + answerless.unknown + unanswered.batchCalls + unanswered.failedCalls + unanswered.liveCalls,
    },
    tokens: {
      input: totals.usage.inputTokens,
      cachedInput: totals.usage.cachedInputTokens,
      ...(totals.usage.cacheWriteTokens === 0 ? {} : { cacheWrite: totals.usage.cacheWriteTokens }),
      output: totals.usage.outputTokens,
      reasoning: totals.usage.reasoningTokens,
    },
    cost: {
      rowsNanoUsd: counted.rowsNanoUsd,
      orphanedNanoUsd,
      failedRowsNanoUsd: counted.failedRowsNanoUsd,
      batchSavedNanoUsd: counted.batchSavedNanoUsd,
      reuseSavedNanoUsd: counted.reuseSavedNanoUsd,
      ...showCacheSaved(totals),
      possiblyBilledNanoUsd: unanswered.nanoUsd,
      unpricedAttempts: totals.unpricedAttempts,
      estimateNanoUsd: options.estimateNanoUsd,
      pricesAsOf: options.priceAsOf ?? pricesAsOf,
      ...(priceNote === null || simulated || totals.nanoUsd === 0 ? {} : { priceNote }),
    },
    ...showWithoutAnswer(run, books),
    ...(notAsked === null ? {} : { notAsked }),
    ledger: { attempts: countLifeAttempts(ledger, books), ...describeLife(books) },
    batches: listBatches(ledger, run),
    ...summarizeDeadline(options, totals.liveNanoUsd),
    ...(unanswered.items.length === 0 ? {} : { possiblyBilled: unanswered.items }),
    anomalies: Object.fromEntries(ledger.anomaliesOfRun(run)),
    ...(await readAnomalyCosts(options)),
    outputs: {
      table: show(written.table),
      failures: show(written.failures),
      report: show(report),
    },
    next:
      stop !== null
        ? showNext(options, stop)
        : counted.rows.failed + counted.rows.skipped > (counted.causes.where ?? 0) + (counted.causes.empty ?? 0)
          ? options.commands.failures
          : (notAsked?.command ?? null),
    failIf: job.failIf,
    stop: stop === null ? null : nameModelLine(options, stop),
  });

  if (options.isRefused) return summary;
  ledger.assertHeld();
  await reporter.write(summary, report);
  const made =
    stop === null && written.table !== null
      ? await makeFingerprint(prepared, ledger, { path: written.table, sha256: written.tableSha256 }, options.signal)
      : null;
  const fingerprint = isFinal ? { fingerprint: made } : { fingerprint: null, ...(made === null ? {} : { pilot: made }) };
  const prices = { asOf: options.priceAsOf, ownSha256: prepared.customPricesSha256 };
  const kept: KeptSummary = {
    summary,
    ...fingerprint,
    paths: options.paths,
    typedIn: options.commands.continueWith === undefined ? null : options.cwd,
    at: options.clock().toISOString(),
    selection: options.selection,
    prices,
    version: VERSION,
  };
  ledger.runFiles.writeRunFile(run, 'job.yaml', job.text);
  ledger.runFiles.writeRunFile(run, 'summary.json', `${JSON.stringify(kept, null, 2)}\n`);
  if (stop === null) {
    await ledger.append({ type: 'run-ended', run, exitCode: summary.exitCode });
  }
  ledger.runFiles.pruneRuns(ledger.fold.runs.map(({ id }) => id));
  return summary;
}

/** The warnings about the table, including its rows. */
function describeTable({ table }: PreparedJob): Pick<Summary, 'warnings'> {
  const warnings = [...table.warnings, ...table.readWarnings()];
  return warnings.length === 0 ? {} : { warnings };
}

/** Empty if nothing was read from the prompt cache or written to it. */
export function showCacheSaved({ usage, cacheSavedNanoUsd }: Pick<Totals, 'usage' | 'cacheSavedNanoUsd'>) {
  return usage.cachedInputTokens + usage.cacheWriteTokens === 0 ? {} : { cacheSavedNanoUsd };
}

function countLifeAttempts({ fold }: Ledger, { life }: Books): number {
  const answerless = [...fold.answerlessAttempts.values()].reduce((sum, { rejected, unknown }) => sum + rejected + unknown, 0);
  return life.batchAttempts + life.liveAttempts + answerless;
}

/** Rows that are not sent again automatically, because it is unknown how often they were billed. */
function sayHeldRows({ ledger: { keys }, warn }: ConcludeOptions): void {
  let held = 0;
  for (let id = 0; id < keys.size; id++) {
    if (keys.outcome(id) === 'unknown' && !keys.isReopened(id) && keys.shard(id) === 0 && explainHold(keys.doubts(id)) !== null) held += 1;
  }
  if (held === 0) return;
  const advice = '`failures` says why, `retry --cause unknown` sends them again';
  warn(`${formatThings(held, 'request')} held: each try may have been billed and none was answered; ${advice}`);
}

/** Cost of this run that belongs to no row. It is looked up, not derived, so that the books are checked against each other. */
async function readOrphaned({ ledger, books, run }: ConcludeOptions, expectedNanoUsd: number): Promise<number> {
  if (expectedNanoUsd === 0) return 0;
  const { keys } = ledger;
  const pass = keys.lastPass;
  const hasRow = (key: string) => {
    const id = keys.find(key);
    return id !== -1 && keys.isSeen(id, pass);
  };
  const nanoUsd = await sumOrphaned({ ledger, costOf: books.costOf, run, hasRow });
  if (nanoUsd !== expectedNanoUsd) {
    throw new Error(
      `the books do not balance: ${expectedNanoUsd} nano-dollars are booked on no row, ${nanoUsd} of them belong to calls without one`,
    );
  }
  return nanoUsd;
}

function summarizeDeadline({ ledger, run, deadline }: ConcludeOptions, liveNanoUsd: number): Pick<Summary, 'deadline'> {
  const known = ledger.fold.deadline;
  if (known?.run !== run) return {};
  const { at, switchedAt } = known;
  return { deadline: { at, switchedAt, liveNanoUsd, maxLiveNanoUsd: deadline?.maxLiveNanoUsd ?? null } };
}

function listBatches({ fold }: Ledger, run: string): Summary['batches'] {
  return [...fold.batches.values()]
    .filter((batch) => batch.run === run)
    .map(({ id, status, shard }) => ({ id, status, requests: (shard === null ? undefined : fold.shards.get(shard)?.rows) ?? 0 }));
}

/** What to type after a stop. A refused command that would be the same again is no answer to that: what to change is in the verdict. */
function showNext(options: Pick<ConcludeOptions, 'commands' | 'isRefused'>, stop: Stop): string | null {
  const command = showContinue(options, stop);
  const { commands, isRefused } = options;
  return isRefused && command === (commands.again?.({}) ?? commands.continue) ? null : command;
}

/** A model that is named in the job file is changed there. */
function nameModelLine({ prepared, commands, cwd }: Pick<ConcludeOptions, 'prepared' | 'commands' | 'cwd'>, stop: Stop): Stop {
  const { file, requests } = prepared.compiled.job;
  const model = stop.change?.model;
  if (model === undefined || file === null || requests !== undefined || commands.again !== undefined) return stop;
  return { ...stop, why: `${stop.why.replace(/([^.?!])$/, '$1.')} First, in ${relative(cwd, file)}: model: ${model}` };
}

/** The same command, without what stopped the run. */
function showContinue({ commands, isRefused }: Pick<ConcludeOptions, 'commands' | 'isRefused'>, { change = {} }: Stop): string {
  const show = (isRefused ? commands.again : undefined) ?? commands.continueWith;
  return show?.(change) ?? commands.continue;
}
