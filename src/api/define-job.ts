import type { Readable } from 'node:stream';
import type { Summary } from '../core/summary.ts';
import type { LoadedJob } from '../input/job/load-job.ts';
import { planJob } from '../run/plan/plan.ts';
import type { Plan } from '../run/plan/plan-result.ts';
import { runJob } from '../run/run.ts';
import { readSettings } from './check-settings.ts';
import type { JobDefinition, RequestColumn, RequestsDefinition, RowResult } from './job-definition.ts';
import { type AnyDefinition, loadDefinition } from './load-definition.ts';
import type { AnswerOf, OutputDefinition } from './output-type.ts';
import { streamResults } from './results.ts';
import type { RowSource } from './row-source.ts';
import { makePlanSettings, makeRunSettings } from './run-settings.ts';
import type { PlanSettings, RunSettings } from './settings.ts';

/** A job defined in a program. `Column` is the union of its column names, `Answer` the type of a checked answer. */
export interface DefinedJob<Column extends string, Answer> {
  readonly name: string;
  /**
   * What a run would do and cost. Sends nothing, spends nothing.
   * @throws UsageError with every problem of the job and the first of the table
   */
  plan(settings?: PlanSettings): Promise<Plan>;
  /**
   * Runs the job, or continues what ended early, and writes its table. A stopped run is not an error: `summary.exitCode` says how it ended.
   * @throws UsageError before anything was sent; LockHeldError if another run of the job is active; LedgerError if its state is damaged
   */
  run(settings?: RunSettings): Promise<JobRun<Column, Answer>>;
}

/** A run that has ended, for now or for good. */
export interface JobRun<Column extends string, Answer> {
  readonly summary: Summary;
  /** Streams every row of the run, in order, with its answer and its cost; any number of times. */
  results(): AsyncGenerator<RowResult<Column, Answer>, void, undefined>;
}

/**
 * Defines a job in TypeScript: the content of a job file, with a function for the prompt and types for rows and answers. For the state
 * directory it is a job like any other: it resumes, reuses answers and keeps books.
 * @throws UsageError with every problem of the definition
 */
export function defineJob<const Output extends OutputDefinition<never> = 'text'>(
  definition: RequestsDefinition<Output>,
): DefinedJob<RequestColumn, AnswerOf<Output, never>>;
export function defineJob<
  const Output extends OutputDefinition<Label>,
  const Column extends string = string,
  const Label extends string = never,
>(definition: JobDefinition<Column, Output, Label>): DefinedJob<Column, AnswerOf<Output, Label>>;
export function defineJob<Column extends string, Answer>(definition: unknown): DefinedJob<Column, Answer> {
  const { job, rows } = loadDefinition(definition as AnyDefinition);
  return {
    name: job.job.name,
    async plan(given = {}) {
      const settings = readSettings(given, 'plan');
      return planJob({ ...makePlanSettings(job, settings), ...(await openRows(rows)) });
    },
    async run(given = {}) {
      const settings = readSettings(given, 'run');
      return runDefined<Column, Answer>(job, settings, rows);
    },
  };
}

async function runDefined<Column extends string, Answer>(
  job: LoadedJob,
  settings: RunSettings,
  rows: RowSource | null,
): Promise<JobRun<Column, Answer>> {
  const { options, notices, finish } = makeRunSettings(job, settings);
  const send = async () => runJob({ ...options, ...(await openRows(rows, options.signal)) });
  const tellRun = async () => {
    const summary = await send().catch(async (error: unknown) => {
      await notices.end({ error });
      throw error;
    });
    await notices.end({ summary });
    return summary;
  };
  const summary = await tellRun().finally(finish);
  return { summary, results: () => streamResults<Column, Answer>(makePlanSettings(job, settings), summary.run) };
}

/** Rows from a program are handled like standard input: stored in the state directory, so that a run can read them as often as necessary. */
async function openRows(rows: RowSource | null, signal?: AbortSignal): Promise<{ readonly stdin?: Readable }> {
  return rows === null ? {} : { stdin: await rows.open(signal) };
}
