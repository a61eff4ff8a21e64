import { resolve } from 'node:path';
import type { CustomPrice } from '../core/custom-price.ts';
import { dayOf } from '../core/day.ts';
import type { Job, Mode } from '../core/job.ts';
import { showModels } from '../core/models/split-by-model.ts';
import { type DoubtfulCalls, formatSpentUsd } from '../core/summary.ts';
import { loadJob } from '../input/job/load-job.ts';
import { hashPrices, loadPrices } from '../input/job/load-prices.ts';
import { mayReadImageFiles } from '../input/request/compile-images.ts';
import { findHolder } from '../ledger/disk/find-holder.ts';
import { readLastRunEvent } from '../ledger/events/read-last-event.ts';
import { hostOfOrigin } from '../ledger/origin.ts';
import { type BudgetFacts, renewBudget } from '../run/budget/facts.ts';
import { type InputMarks, markInputs } from '../run/status/input-marks.ts';
import { isOfNow, type JobFacts, markJob, markState, readKeptStatus } from '../run/status/kept-status.ts';
import type { RowCounts } from '../run/status/row-tally.ts';
import type { BatchFacts, CostFacts, StatusFacts } from '../run/status/status-facts.ts';
import type { Wait } from '../run/status/waits.ts';
import { findRunner, type Runner } from './find-runner.ts';
import { guessJobFolder } from './kept-job.ts';
import { chooseState, eventsFile, findStateAt, type JobState, readStateEvents } from './last-run.ts';
import { readLeftRun } from './left-run.ts';
import { locateState } from './locate-state.ts';
import type { ReadOptions } from './open-state.ts';

/** The current status of a job (`status --json`); field names are a contract. */
export interface Status {
  readonly schema: 'rowmill.status/1';
  readonly job: string;
  readonly model: string;
  /** Where the job sends its rows. */
  readonly mode: Mode;
  /** Absolute path of the state directory used, and the provider of its answers. */
  readonly state: string;
  readonly origin: string;
  readonly simulated: boolean;
  /** The latest run; null before the first. */
  readonly run: StatusRun | null;
  /** Of the whole table. */
  readonly rows: RowCounts;
  /** Of the latest run, if it is about a part of the table (`--limit`, `--sample`); absent otherwise. */
  readonly rowsOfRun?: RowCounts;
  /** Whether answers from before a `--fresh` do not count; absent if there was none. */
  readonly sinceFresh?: true;
  readonly batches: readonly StatusBatch[];
  readonly cost: StatusCost;
  /** What may have been billed without an answer, over all runs, listed individually. */
  readonly possiblyBilled: readonly DoubtfulCalls[];
  /** Budgets over several runs; absent if the job has none. */
  readonly budgets?: readonly BudgetFacts[];
  readonly waitingFor: readonly Wait[];
  /** When the rows were counted, if that was by an earlier run and they may have changed since; only without a job file, absent otherwise. */
  readonly recordedAt?: string;
}

export interface StatusRun {
  readonly id: string;
  readonly startedAt: string;
  /** Null while it is open: the next `run` continues it. */
  readonly endedAt: string | null;
  readonly exitCode: number | null;
  /** The process working on it; null if there is none. */
  readonly runner: Runner | null;
  /** When the last process of an open run last recorded anything; absent if one is working on it. */
  readonly leftAt?: string;
}

export interface StatusBatch extends BatchFacts {
  readonly ageSeconds: number;
}

export interface StatusCost extends CostFacts {
  readonly usd: string;
  /** Whose prices these are, if not those of the address; absent otherwise, and if nothing was spent. */
  readonly priceNote?: string;
}

/** What a status needs beside its figures. */
interface Named {
  readonly options: ReadOptions;
  readonly name: string;
  readonly about: JobFacts;
  readonly prices: readonly CustomPrice[];
  readonly state: JobState;
  readonly now: Date;
}

/** The input of a status with a job file, read again for each. */
interface Looked extends Named {
  readonly job: Job;
}

/** The result of a full reading, and what it was computed from: as long as that is unchanged, so is the result. */
interface FullLook {
  readonly facts: StatusFacts;
  readonly inputPath: string;
  /** Null if it cannot be told whether it is still the same. */
  readonly madeFrom: string | null;
  /** Milliseconds since 1970: before then nothing is read again, whatever has changed. */
  readonly restsUntilMs: number;
}

/** A full reading takes at most a fifth of the time. */
const REST_FACTOR = 4;

/** Reads the status of a job without the lock: a run may be in progress in another process. */
export function readStatus(options: ReadOptions): Promise<Status> {
  return createStatusLook(options)();
}

/**
 * A status that can be read repeatedly: if nothing has changed, nothing is read again. If everything has to be read, it pauses
 * between readings, and returns the last result meanwhile.
 */
export function createStatusLook(options: ReadOptions): () => Promise<Status> {
  let last: FullLook | null = null;

  async function findFacts(looked: Looked): Promise<StatusFacts> {
    if (last !== null && looked.now.getTime() < last.restsUntilMs) return last.facts;
    const recorded = markRecorded(looked);
    if (last !== null && last.madeFrom !== null && last.madeFrom === joinMarks(recorded, await readInputs(looked, last.inputPath)))
      return last.facts;
    const { lookFully } = await import('./full-look.ts');
    const { facts, inputPath } = await lookFully(options);
    const inputs = await readInputs(looked, inputPath);
    // A file that changed while it was read may not show it.
    const isSteady = inputs !== null && inputs.tellsFromMs < looked.now.getTime() && !mayReadImageFiles(looked.job);
    const madeFrom = joinMarks(recorded, inputs);
    const endMs = options.effects.clock().getTime();
    const restsUntilMs = endMs + (endMs - looked.now.getTime()) * REST_FACTOR;
    last = { facts, inputPath, madeFrom: isSteady ? madeFrom : null, restsUntilMs };
    return facts;
  }

  return async () => {
    if (findStateAt(resolve(options.cwd, options.jobFile)) !== null) return readWithoutJob(options);
    const { job } = await loadJob(options.jobFile, { cwd: options.cwd });
    const prices = await loadPrices(job.directory, options.cwd);
    const state = await chooseState(job, options.stateRoot, options.origin, options.signal);
    const about = { model: showModels(job), mode: job.mode };
    const looked = { options, job, name: job.name, about, prices, state, now: options.effects.clock() };
    return makeStatus((await findKeptFacts(looked)) ?? (await findFacts(looked)), looked);
  };
}

async function readWithoutJob(options: ReadOptions): Promise<Status> {
  const located = await locateState(options);
  const { state, job } = located;
  const { readRecordedStatus } = await import('./recorded-status.ts');
  const { facts, about, recordedAt } = await readRecordedStatus(located, options);
  const prices = await loadPrices(guessJobFolder(state.directory, options.cwd), options.cwd);
  const status = await makeStatus(facts, { options, name: job, about, prices, state, now: options.effects.clock() });
  return recordedAt === null ? status : { ...status, recordedAt };
}

/** The status recorded by the process that works on the job, or did last; null if there is none, or if a full reading might differ. */
async function findKeptFacts(looked: Looked): Promise<StatusFacts | null> {
  const { options, job, prices, now } = looked;
  const { directory } = looked.state;
  const kept = options.input === null ? readKeptStatus(directory) : null;
  if (kept === null || kept.job !== markJob(job) || kept.prices !== hashPrices(prices)) return null;
  const { facts, paths } = kept;
  const inputs = await readInputs(looked, paths.input ?? job.input.path);
  if (inputs === null || inputs.marks.join('\n') !== kept.inputs.join('\n')) return null;
  return isOfNow(kept, directory, { own: options.effects.processIdentity, now }) ? facts : null;
}

/** Identifies everything a status depends on except the tables; null if that cannot be read. */
function markRecorded({ options, job, prices, state, now }: Looked): string | null {
  try {
    // A process that is gone has left the files as they were, and may have lost calls.
    const holder = findHolder(state.directory, options.effects.processIdentity)?.token ?? '';
    return [markState(state.directory), holder, markJob(job), hashPrices(prices), dayOf(now.toISOString())].join('\n');
  } catch {
    return null;
  }
}

function joinMarks(recorded: string | null, inputs: InputMarks | null): string | null {
  return recorded === null || inputs === null ? null : [recorded, ...inputs.marks].join('\n');
}

/** Null if a file is missing: the full reading reports that. */
function readInputs({ job, options, state }: Looked, path: string): Promise<InputMarks | null> {
  const named = { ...job, input: { ...job.input, path } };
  return markInputs(named, { stateDirectory: state.directory, cwd: options.cwd }).catch(() => null);
}

async function makeStatus({ waits, ...facts }: StatusFacts, looked: Named): Promise<Status> {
  const { options, name, about, state, now } = looked;
  const { run, cost } = facts;
  const runner = findRunner(state.directory, options.effects.processIdentity);
  const priceNote = facts.simulated || cost.ledgerNanoUsd === 0 ? null : await readPriceNote(looked);
  const isAbandoned = run !== null && run.endedAt === null && runner === null;
  const leftAt = isAbandoned ? (readLastRunEvent(eventsFile(state.directory))?.at ?? null) : null;
  return {
    schema: 'rowmill.status/1',
    job: name,
    model: facts.models ?? about.model,
    mode: about.mode,
    state: state.directory,
    origin: state.origin,
    simulated: facts.simulated,
    run: run === null ? null : { ...run, runner, ...(leftAt === null ? {} : { leftAt }) },
    rows: facts.rows,
    ...(facts.rowsOfRun === undefined ? {} : { rowsOfRun: facts.rowsOfRun }),
    ...(facts.sinceFresh === undefined ? {} : { sinceFresh: facts.sinceFresh }),
    batches: facts.batches.map((batch) => {
      const { id, status, requests, submittedAt, ...others } = batch;
      const ageSeconds = Math.max(0, Math.round((now.getTime() - Date.parse(submittedAt)) / 1000));
      return { id, status, requests, submittedAt, ageSeconds, ...others };
    }),
    cost: {
      nanoUsd: cost.nanoUsd,
      usd: formatSpentUsd(cost.nanoUsd, cost.unpricedAttempts),
      unpricedAttempts: cost.unpricedAttempts,
      ledgerNanoUsd: cost.ledgerNanoUsd,
      possiblyBilledNanoUsd: cost.possiblyBilledNanoUsd,
      ledgerUnpricedAttempts: cost.ledgerUnpricedAttempts,
      ...(priceNote === null ? {} : { priceNote }),
    },
    possiblyBilled: facts.possiblyBilled,
    ...(facts.budgets === undefined ? {} : { budgets: facts.budgets.map((budget) => renewBudget(budget, now)) }),
    waitingFor: isAbandoned ? [...waits, await describeAbandoned(looked, run.id)] : waits,
  };
}

/** That no process works on an open run, and how to continue it. */
async function describeAbandoned({ state, options }: Named, id: string): Promise<Wait> {
  const readCommand = async () => (await readStateEvents(state, options.signal)).runs.find((run) => run.id === id)?.command;
  const { verdict, command } = await readLeftRun(state, id, { cwd: options.cwd, readCommand });
  const why = verdict === null ? 'none is working on this run' : `the last one stopped: ${verdict.replace(/\.$/, '')}`;
  // A sentence that ends with what to do lacks only the command.
  const join = /\brun the same command\b[^;:]*$/.test(why) ? ':' : '; to continue:';
  return {
    what: 'runner',
    id: null,
    why: `a process: ${why}${command === null && join === ':' ? '' : `${join} ${command ?? 'run the same command again'}`}`,
  };
}

/** OpenAI's own prices need no note, and no price list to be read. */
async function readPriceNote({ about, prices, state, now }: Named): Promise<string | null> {
  const host = hostOfOrigin(state.origin);
  if (host === null) return null;
  const [{ findPriceNote }, { findPriceSource }] = await Promise.all([import('../money/price.ts'), import('../money/price-source.ts')]);
  return findPriceNote(about.model, now.toISOString(), prices, findPriceSource(host));
}
