import { UsageError } from '../../core/errors.ts';
import type { Job } from '../../core/job.ts';
import { addUsage, NO_USAGE, type Usage } from '../../core/usage.ts';
import { compileRules } from '../../input/answer/compile-rules.ts';
import { readJob } from '../../input/job/make-job.ts';
import { readYaml } from '../../input/job/yaml-source.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { openLedger } from '../../ledger/open-ledger.ts';
import { openRunFiles } from '../../ledger/runs.ts';
import { makeCostOf } from '../../money/cost.ts';
import { type Books, createBooks } from '../../run/open/books.ts';
import type { KeptSummary } from '../../run/open/kept-summary.ts';
import { createStepOf, type StepOf } from '../../run/open/next-step.ts';
import type { PreparedJob } from '../../run/open/prepared-job.ts';
import type { FoundState, ReadOptions } from '../open-state.ts';
import { NO_REQUEST, RunRowIndex } from './run-row-index.ts';

/** An earlier run at its end: its job, its rows, and the answers of that time. */
export interface OpenedRun {
  readonly run: string;
  readonly job: Job;
  /** Its model in readable form; empty if a run over a table of requests stored no summary. */
  readonly models: string;
  /** The job file of that time, parsed. */
  readonly spec: Readonly<Record<string, unknown>>;
  readonly rows: RunRowIndex;
  readonly ledger: Ledger;
  readonly books: Books;
  /** The result of a request of `rows`. */
  readAnswer(request: number): RunAnswer;
  /** The cost of the answers read with `readAnswer`, each request once. */
  readonly answers: AnswerTotals;
}

export type RunAnswer =
  | { readonly status: 'ok'; readonly value: unknown }
  /** `none`: asked in vain. `skipped`: never sent. `pending`: not answered and not given up by the end of the run. */
  | { readonly status: 'none' | 'skipped' | 'pending'; readonly why: string };

/** Whether a row was asked and its answer, or the lack of one, is final: only such rows are judged. */
export function isJudged({ status }: RunAnswer): boolean {
  return status === 'ok' || status === 'none';
}

/** Sums over answers. */
export interface AnswerTotals {
  readonly nanoUsd: number;
  readonly unpriced: number;
  readonly usage: Usage;
}

/**
 * Opens the state as a run left it. Later runs, retries of its failed rows and new generations have no influence, and its answers are
 * judged by the rules of its own job. The caller closes the ledger.
 * @throws UsageError if there is no such run, or its files were removed
 */
export async function openRun(options: ReadOptions, found: FoundState, prepared: PreparedJob, run: string): Promise<OpenedRun> {
  const { runs } = found;
  if (!runs.includes(run)) throw new UsageError(`${found.job}: no run ${run}; runs: ${runs.join(', ')}`, { code: 'no_run' });
  const files = openRunFiles(prepared.stateDirectory, options.effects.randomId);
  const rows = files.readRunRows(run);
  const text = files.readRunFile(run, 'job.yaml');
  if (rows === null || text === null) {
    const kept = runs.filter((id) => files.readRunFile(id, 'job.yaml', () => {}) !== null).join(', ');
    throw new UsageError(
      `${found.job}: the files of run ${run} are not there: the last 14 runs keep theirs; these have them: ${kept || 'none'}`,
      {
        code: 'no_run',
      },
    );
  }
  const { job, spec } = readJobOfRun(text, run, prepared);
  const books = createBooks(makeCostOf({ asOf: null, findPrice: prepared.findPrice }));
  const ledger = await openLedger({
    directory: prepared.stateDirectory,
    origin: found.state.origin,
    job: job.name,
    access: 'read',
    ...compileRules(job),
    ...(run === runs.at(-1) ? {} : { asOfRun: run }),
    visit: books.visit,
    clock: options.effects.clock,
    randomId: options.effects.randomId,
    processIdentity: options.effects.processIdentity,
    signal: options.signal,
  });
  const reader = createAnswerReader({ ledger, books, stepOf: createStepOf(ledger, job, 'reading') });
  const kept = job.model === '' ? (files.readRunSummary(run, () => {}) as KeptSummary | null) : null;
  return {
    run,
    job,
    models: kept?.summary.model ?? job.model,
    spec,
    rows: new RunRowIndex(rows, (key) => ledger.keys.find(key)),
    ledger,
    books,
    ...reader,
  };
}

/** The job stored by a run: its paths are relative to the job file. */
function readJobOfRun(text: string, run: string, { compiled }: PreparedJob): Pick<OpenedRun, 'job' | 'spec'> {
  const yaml = readYaml(text, `job.yaml of run ${run}`);
  const { directory, file } = compiled.job;
  const { job, problems } =
    yaml.problems.length > 0 ? { job: null, problems: yaml.problems } : readJob(yaml.value, { source: yaml.source, directory, file, text });
  if (job === null || problems.length > 0) throw new UsageError(problems, { code: 'job' });
  return { job, spec: yaml.value as OpenedRun['spec'] };
}

function createAnswerReader(parts: {
  readonly ledger: Ledger;
  readonly books: Books;
  readonly stepOf: StepOf;
}): Pick<OpenedRun, 'readAnswer' | 'answers'> {
  const { ledger, books, stepOf } = parts;
  const { keys } = ledger;
  const pass = keys.startPass();
  const totals = { nanoUsd: 0, unpriced: 0, usage: NO_USAGE };
  return {
    answers: totals,
    readAnswer(request) {
      if (request === NO_REQUEST) return { status: 'skipped', why: 'skipped' };
      const step = request === -1 ? 'new' : stepOf(request);
      if (step !== 'done' && step !== 'failed') return { status: 'pending', why: 'pending' };
      const { outcome, lane, createdSeconds } = ledger.readAnswer(request);
      if (step === 'failed') return { status: 'none', why: `${outcome.status}: ${outcome.message}` };
      if (lane !== null && !keys.isSeen(request, pass)) {
        keys.markSeen(request, pass);
        const cost = books.costOf({ ...outcome, lane, createdSeconds: outcome.createdSeconds ?? createdSeconds });
        totals.nanoUsd += cost ?? 0;
        totals.unpriced += cost === null ? 1 : 0;
        totals.usage = outcome.usage === null ? totals.usage : addUsage(totals.usage, outcome.usage);
      }
      return { status: 'ok', value: outcome.value };
    },
  };
}
