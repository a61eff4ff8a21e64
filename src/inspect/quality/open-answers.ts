import type { FinishedRow } from '../../core/finished-row.ts';
import type { Job } from '../../core/job.ts';
import { showModels } from '../../core/models/split-by-model.ts';
import { finishRows } from '../../run/finish/finish-rows.ts';
import type { PreparedJob } from '../../run/open/prepared-job.ts';
import { hashRowId } from '../../run/open/row-keys.ts';
import { selectRows } from '../../run/open/selection.ts';
import type { JobState } from '../last-run.ts';
import { resolveRun } from '../name-run.ts';
import { findState, openState, prepareForReading, type ReadOptions } from '../open-state.ts';
import { findSimulatedRuns } from '../simulated-runs.ts';
import type { Gold } from './gold.ts';
import { openRun, type RunAnswer } from './open-run.ts';

/** A row with its answer and its gold label. */
export interface AnsweredRow {
  /** From 1; null if it has left the table. */
  readonly row: number | null;
  /** As named by `input.id`; null if it has left the table. */
  readonly id: string | null;
  readonly answer: RunAnswer | { readonly status: 'where' };
  /** Null without a gold label. */
  readonly gold: readonly string[] | null;
  /** The cells used in the prompt; empty if it has left the table. */
  readText(): string;
}

/** The answers of a job: as they are now, or as a run left them. */
export interface OpenAnswers {
  readonly state: JobState;
  readonly prepared: PreparedJob;
  /** The job the answers were given to: that of the run, if one was named. */
  readonly job: Job;
  /** Null if the job has had none. */
  readonly run: string | null;
  readonly simulated: boolean;
  /** In readable form. */
  readonly models: string;
  readRows(gold: Gold): AsyncGenerator<AnsweredRow>;
  close(): Promise<void>;
}

/** @param run an id, or `last`, `prev`, `last~2`; null for the answers as they are now @throws UsageError as of `openRun` */
export function openAnswers(options: ReadOptions, run: string | null): Promise<OpenAnswers> {
  return run === null ? openCurrent(options) : openEarlier(options, run);
}

async function openCurrent(options: ReadOptions): Promise<OpenAnswers> {
  const opened = await openState(options);
  const { state, prepared, simulated, ledger, stepOf, books } = opened;
  const { table, compiled } = prepared;
  const run = ledger.fold.runs.at(-1)?.id ?? null;
  return {
    ...{ state, prepared, job: compiled.job, run, simulated, models: showModels(compiled.job) },
    async *readRows(gold) {
      const selected = await selectRows({ type: 'all' }, table, options.signal);
      const finishing = { table, compiled, ledger, stepOf, costOf: books.costOf, selected, run: run ?? '', signal: options.signal };
      for await (const rows of finishRows(finishing)) {
        for (const finished of rows) {
          const { row } = finished;
          const named = { row: row.index + 1, id: compiled.rowId(row), readText: () => compiled.rowText(row) };
          yield { ...named, answer: readAnswer(finished), gold: gold.read(row) };
        }
      }
    },
    close: () => ledger.close(),
  };
}

function readAnswer({ disposition, answer }: FinishedRow): AnsweredRow['answer'] {
  if (disposition.status === 'ok') return { status: 'ok', value: answer };
  if (disposition.status === 'pending') return { status: 'pending', why: 'pending' };
  if (disposition.cause === 'where') return { status: 'where' };
  return { status: disposition.status === 'skipped' ? 'skipped' : 'none', why: `${disposition.cause}: ${disposition.message}` };
}

async function openEarlier(options: ReadOptions, named: string): Promise<OpenAnswers> {
  const found = await findState(options);
  const run = resolveRun(named, found);
  const prepared = await prepareForReading(options, found);
  const opened = await openRun(options, found, prepared, run);
  const { table, compiled } = prepared;
  return {
    ...{
      state: found.state,
      prepared,
      job: opened.job,
      run,
      simulated: findSimulatedRuns(opened.ledger.fold, opened.ledger.runFiles).has(run),
      models: opened.models,
    },
    async *readRows(gold) {
      for await (const rows of table.readRows(options.signal)) {
        for (const row of rows) {
          const id = compiled.rowId(row);
          const request = opened.rows.take(hashRowId(id));
          if (request === null) continue;
          const answer = opened.readAnswer(request);
          yield { row: row.index + 1, id, readText: () => compiled.rowText(row), answer, gold: gold.read(row) };
        }
      }
      for (const { idHash, request } of opened.rows.takeRemaining())
        yield { row: null, id: null, readText: () => '', answer: opened.readAnswer(request), gold: gold.readByHash(idHash) };
    },
    close: () => opened.ledger.close(),
  };
}
