import { hash } from 'node:crypto';
import { relative } from 'node:path';
import { showModels } from '../../core/models/split-by-model.ts';
import { isRetryable } from '../../core/outcome.ts';
import type { Summary } from '../../core/summary.ts';
import { VERSION } from '../../core/version.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { LeaveOut } from '../../ledger/runs.ts';
import type { CountedRows } from '../../output/report/count/row-counter.ts';
import type { TempoCounter } from '../../output/report/count/tempo-counter.ts';
import type { BatchTimeline, CallFigures, CauseFacts, FieldFacts, ReportFacts, RunPoint, Tempo } from '../../output/report/facts.ts';
import { describeEmptyRows } from '../../output/verdict.ts';
import type { Books } from '../open/books.ts';
import { NO_WARNINGS, readReportFacts } from '../open/kept-report-facts.ts';
import type { KeptSummary } from '../open/kept-summary.ts';
import type { PreparedJob } from '../open/prepared-job.ts';
import type { NextCommands } from '../options.ts';
import type { WarningLog } from './warning-log.ts';

export interface ReportFactsOptions {
  readonly prepared: PreparedJob;
  readonly ledger: Ledger;
  readonly books: Pick<Books, 'costOf'>;
  readonly run: string;
  readonly summary: Summary;
  readonly counted: CountedRows;
  readonly calls: CallFigures | null;
  readonly batches: readonly BatchTimeline[];
  readonly tempo: TempoCounter;
  readonly warnings: WarningLog;
  readonly budgetNanoUsd: number | null;
  readonly commands: Pick<NextCommands, 'failures' | 'retry' | 'sample'>;
  readonly endedAt: Date;
  /** Paths are shown relative to this. */
  readonly cwd: string;
}

/** Assembles what the report of a run shows, except the text of its rows. */
export function makeReportFacts(options: ReportFactsOptions): ReportFacts {
  const { prepared, ledger, run, summary, counted } = options;
  const { job } = prepared.compiled;
  const endedAt = options.endedAt.toISOString();
  // Before the warnings are read: it may add one.
  const runs = listRuns(ledger, summary, options.warnings.tell);
  return {
    schema: 'rowmill.report/1',
    summary,
    description: job.description,
    startedAt: ledger.fold.runs.find(({ id }) => id === run)?.startedAt ?? endedAt,
    endedAt,
    budgetNanoUsd: options.budgetNanoUsd,
    cacheSavedNanoUsd: summary.cost.cacheSavedNanoUsd ?? 0,
    models: counted.models,
    rowFigures: counted.figures,
    calls: options.calls,
    batches: options.batches,
    tempo: readTempo(options),
    causes: counted.causes.map((cause) => ({ ...cause, retry: showRetry(cause, options) })),
    ...showCommands(options.commands),
    warnings: options.warnings.read(readReportFacts(ledger, run)?.warnings ?? NO_WARNINGS),
    fields: addPrevious(counted.fields, ledger, run),
    samples: counted.picked.map(({ facts }) => facts),
    runs,
    provenance: {
      jobText: job.text,
      jobSha256: hash('sha256', job.text),
      jobFile: job.file === null ? null : relative(options.cwd, job.file),
      inputs: prepared.table.files.map((file) => relative(options.cwd, file)),
      rowmill: VERSION,
      node: process.version,
      modelRequested: showModels(job),
      origin: ledger.origin,
      state: ledger.stateId,
    },
  };
}

function readTempo({ tempo, prepared, calls }: ReportFactsOptions): Tempo | null {
  const found = tempo.read();
  if (found === null) return null;
  const { requestsPerMinute, tokensPerMinute } = prepared.compiled.job.limits;
  return calls === null
    ? { lane: 'batch', ...found, requestsPerMinute: null, tokensPerMinute: null }
    : { lane: 'live', ...found, requestsPerMinute, tokensPerMinute };
}

/** Empty if nobody types commands. */
function showCommands({ failures, retry, sample }: ReportFactsOptions['commands']): Pick<ReportFacts, 'commands'> {
  return retry === undefined ? {} : { commands: { failures, ...(sample === undefined ? {} : { sample }) } };
}

/** A truncated answer needs a larger cap to end differently. */
function showRetry({ cause }: Pick<CauseFacts, 'cause'>, { commands, prepared }: ReportFactsOptions): string | null {
  if (commands.retry === undefined || !isRetryable(cause)) return null;
  const cap = prepared.compiled.job.params.max_output_tokens;
  const more = cause === 'truncated' && typeof cap === 'number' ? ` --set params.max_output_tokens=${cap * 2}` : '';
  return `${commands.retry} --cause ${cause}${more}`;
}

/** Adds the counts of the latest earlier run to those of this one, field by field. */
function addPrevious(fields: readonly FieldFacts[], ledger: Ledger, run: string): readonly FieldFacts[] {
  if (fields.length === 0) return fields;
  const previous = findPrevious(ledger, run);
  if (previous === null) return fields;
  return fields.map((field) => {
    const before = previous.fields.find((other) => other.field === field.field);
    if (before === undefined) return field;
    const rowsOf = new Map(before.values.map(({ value, rows }) => [value, rows]));
    const values = field.values.map((count) => ({ ...count, previousRows: rowsOf.get(count.value) ?? 0 }));
    return { ...field, values, previousRun: previous.summary.run };
  });
}

function findPrevious(ledger: Ledger, run: string): ReportFacts | null {
  const ids = ledger.fold.runs.map(({ id }) => id);
  for (const id of ids.slice(0, ids.indexOf(run)).toReversed()) {
    const facts = readReportFacts(ledger, id);
    if (facts !== null) return facts;
  }
  return null;
}

/** As many as a state directory keeps. */
const SHOWN_RUNS = 14;

function listRuns({ fold, runFiles }: Ledger, summary: Summary, leaveOut: LeaveOut): readonly RunPoint[] {
  return fold.runs.slice(-SHOWN_RUNS).flatMap(({ id, startedAt }) => {
    const kept = id === summary.run ? summary : (runFiles.readRunSummary(id, leaveOut) as KeptSummary | null)?.summary;
    if (kept === undefined) return [];
    const { rows, exitCode, verdict, cost } = kept;
    const { in: rowsIn, ok, failed, skipped, pending } = rows;
    return [
      {
        run: id,
        startedAt,
        exitCode,
        verdict: describeEmptyRows(kept)?.verdict ?? verdict,
        rows: { in: rowsIn, ok, failed, skipped, pending, new: rows.new },
        nanoUsd: cost.nanoUsd,
        ...(cost.unpricedAttempts === 0 ? {} : { unpricedAttempts: cost.unpricedAttempts }),
      },
    ];
  });
}
