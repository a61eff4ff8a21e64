import { rmSync } from 'node:fs';
import { UsageError } from '../../core/errors.ts';
import { findRunner } from '../../inspect/find-runner.ts';
import { findState, type ReadOptions } from '../../inspect/open-state.ts';
import { LockHeldError } from '../../ledger/errors.ts';
import type { LedgerFold } from '../../ledger/events/fold.ts';
import { readCreation } from '../../ledger/events/read-creation.ts';
import { describeOrigin, isSameOrigin } from '../../ledger/origin.ts';
import { settlePlace } from '../../ledger/settle-place.ts';
import { openUpkeep, type Upkeep } from '../../ledger/upkeep/open-upkeep.ts';
import type { RecordedPart } from '../../ledger/upkeep/strip-files.ts';
import type { Target } from '../../run/open/target.ts';
import { listAnswers, measureAnswers, removeAnswers } from './answers.ts';
import { findLocalLeftovers, findOldRuns, type Litter } from './local-litter.ts';
import { listOwnFiles, type RemovedFiles, removeOwnFiles } from './own-files.ts';
import { type PricedAnswers, priceAnswers } from './price-answers.ts';
import { createStateFacts, readStateFacts, type StateFacts } from './state-facts.ts';

export interface CleanOptions extends ReadOptions {
  /** Runs that ended before this are old. */
  readonly olderMs: number;
  /** Whether to remove our files at the provider. */
  readonly isRemote: boolean;
  /** Whether to remove the answers. */
  readonly hasAnswers: boolean;
}

/** What would be removed of one job's state; names are a contract (`clean --json`). */
export interface Litters {
  readonly job: string;
  readonly state: string;
  readonly origin: string;
  /** The provider of its last run; null for the default API, the built-in simulator, and if no run says. */
  readonly baseUrl: string | null;
  readonly runs: readonly Litter[];
  readonly leftovers: readonly Litter[];
  /** Ids of our files at the provider; null if not requested. */
  readonly files: readonly string[] | null;
  /** Null if not requested. */
  readonly answers: PricedAnswers | null;
}

/** What was removed. */
export interface Cleaned {
  readonly bytes: number;
  /** Null if none were to be removed. */
  readonly files: RemovedFiles | null;
}

interface Found {
  readonly runs: readonly Litter[];
  readonly leftovers: readonly Litter[];
  readonly files: readonly string[] | null;
  readonly answers: readonly (readonly RecordedPart[])[] | null;
}

/**
 * Finds what may be removed of a job's state. Nothing is changed, and the provider is not contacted: the ledger knows our files there.
 * @throws LockHeldError while a run of the job is active; UsageError if the job was never run, or `--answers` is not allowed
 */
export async function lookForLitter(options: CleanOptions): Promise<Litters> {
  const { state, job, lastRun } = await findState(options);
  const runner = findRunner(state.directory, options.effects.processIdentity);
  if (runner !== null)
    throw new LockHeldError(`process ${runner.pid} on ${runner.host} works on job ${job}: clean when it has ended`, runner);
  requireCreation(state.directory);
  const { facts, fold } = await readStateFacts(state.directory, options.signal);
  const { runs, leftovers, files, answers } = await find(state.directory, { facts, fold, options });
  const priced = answers === null || answers.length === 0 ? null : await priceAnswers(options);
  return {
    job,
    state: state.directory,
    origin: state.origin,
    baseUrl: lastRun?.paths.baseUrl ?? null,
    runs,
    leftovers,
    files,
    answers: answers === null ? null : { ...measureAnswers(state.directory, answers), ...(priced ?? { paidNanoUsd: 0, againNanoUsd: 0 }) },
  };
}

/** @throws UsageError if nothing proves that the files of a directory are ours */
function requireCreation(directory: string): void {
  if (readCreation(directory) !== null) return;
  throw new UsageError(`${directory}: its events.jsonl does not begin as a log of rowmill does, so nothing in it is removed`, {
    code: 'no_state',
  });
}

export function isClean({ runs, leftovers, files, answers }: Litters): boolean {
  return runs.length + leftovers.length + (files?.length ?? 0) + (answers?.files ?? 0) === 0;
}

/**
 * Removes what was shown, if it still may be removed: the state is examined again under its lock.
 * @param target the provider to remove files at; not contacted if there are none
 * @throws LockHeldError while a run of the job is active; UsageError for files at the provider of a state that is a copy
 */
export async function clean(shown: Litters, options: CleanOptions, target: Target): Promise<Cleaned> {
  const { effects, signal } = options;
  requireCreation(shown.state);
  const { facts, take } = createStateFacts();
  const upkeep = await openUpkeep({ ...effects, directory: shown.state, job: shown.job, signal }, take);
  try {
    const found = await find(shown.state, { facts, fold: upkeep.fold, options });
    const paths = new Set([...shown.runs, ...shown.leftovers].map(({ path }) => path));
    let bytes = 0;
    for (const litter of [...found.runs, ...found.leftovers].filter(({ path }) => paths.has(path))) {
      upkeep.assertHeld();
      rmSync(litter.path, { recursive: true, force: true });
      bytes += litter.bytes;
    }
    const shownFiles = new Set(shown.files);
    const fileIds = (found.files ?? []).filter((id) => shownFiles.has(id));
    const files = fileIds.length === 0 ? null : await removeAtProvider(upkeep, fileIds, { shown, target, options });
    if (shown.answers !== null && found.answers !== null && found.answers.length > 0) {
      bytes += measureAnswers(shown.state, found.answers).bytes;
      await removeAnswers(upkeep, found.answers, { directory: shown.state, randomId: effects.randomId, signal });
    }
    return { bytes, files };
  } finally {
    await upkeep.close();
  }
}

async function removeAtProvider(
  upkeep: Upkeep,
  fileIds: readonly string[],
  { shown, target, options }: { readonly shown: Litters; readonly target: Target; readonly options: CleanOptions },
): Promise<RemovedFiles> {
  await refuseCopy(shown, upkeep, options);
  requireProvider(shown, target);
  const { provider, close } = await target.connect(shown.state, upkeep.assertHeld);
  try {
    const files = await removeOwnFiles(fileIds, provider, options.signal);
    // A file unknown to another account's key may exist all the same.
    const isOneKey = [...upkeep.fold.batches.values()].every(({ keyFingerprint }) =>
      [null, provider.keyFingerprint].includes(keyFingerprint),
    );
    const known = isOneKey ? [...files.removed, ...files.gone] : files.removed;
    if (known.length > 0) await upkeep.append({ type: 'files-removed', fileIds: known });
    return files;
  } finally {
    await close();
  }
}

/** No run may have said which base URL it used. @throws UsageError if the files are at another provider */
function requireProvider({ state, origin }: Litters, target: Target): void {
  if (isSameOrigin(origin, target.origin)) return;
  const [ours, theirs] = [origin, target.origin].map(describeOrigin);
  throw new UsageError(`--remote: the files of ${state} are at ${ours}, and this command talks to ${theirs}: add --base-url`);
}

/** If a state was restored from a backup, a newer copy counts files as collected that it still has to download. */
async function refuseCopy({ state, origin, job }: Litters, upkeep: Upkeep, { effects }: CleanOptions): Promise<void> {
  const adopt = (question: string): never => {
    throw new UsageError(`--remote: ${question}. Clean there, or let a run take this one over first: rowmill run --adopt-copy`, {
      code: 'copied_state',
    });
  };
  const copies = { adopt, tell: () => {} };
  await settlePlace({ ...effects, directory: state, origin, job, stateId: upkeep.fold.state, copies });
}

async function find(
  directory: string,
  { facts, fold, options }: { readonly facts: StateFacts; readonly fold: LedgerFold; readonly options: CleanOptions },
): Promise<Found> {
  const before = new Date(options.effects.clock().getTime() - options.olderMs).toISOString();
  return {
    runs: findOldRuns(directory, fold, before),
    leftovers: await findLocalLeftovers(directory, facts, fold),
    files: options.isRemote ? listOwnFiles(facts, fold) : null,
    answers: options.hasAnswers ? listAnswers(directory, facts, fold) : null,
  };
}
