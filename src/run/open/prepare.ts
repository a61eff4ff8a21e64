import { existsSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { MAX_SHARD_BYTES } from '../../batch/cut-size.ts';
import { asDiskError } from '../../core/disk/disk-error.ts';
import { makeFolders } from '../../core/disk/make-folders.ts';
import { UsageError } from '../../core/errors.ts';
import type { Job } from '../../core/job.ts';
import { listModels } from '../../core/models/split-by-model.ts';
import { placeError } from '../../core/problem-path.ts';
import { type CompiledJob, compileJob } from '../../input/compile-job.ts';
import { findInputPlace, type JobOverrides, type LoadedJob, loadJob } from '../../input/job/load-job.ts';
import { hashPrices, loadPrices } from '../../input/job/load-prices.ts';
import { createCodePrompts } from '../../input/request/code-prompts.ts';
import { setParams } from '../../input/request/extra-params.ts';
import { readExamples } from '../../input/request/read-examples.ts';
import { bindRequests } from '../../input/requests/render-requests.ts';
import { openTable } from '../../input/table/open-table.ts';
import type { InputTable } from '../../input/table/read-table.ts';
import { removeQuietly } from '../../ledger/disk/durable-files.ts';
import { hostOfOrigin } from '../../ledger/origin.ts';
import { modelLimits } from '../../money/model-limits.ts';
import { createFindPrice, findPriceNote } from '../../money/price.ts';
import { findPriceSource } from '../../money/price-source.ts';
import { createRowLimit } from '../../money/row-limit.ts';
import { createModelTokens } from '../../money/tokens/model-tokens.ts';
import type { ModelEnd } from '../../openai/model-ends.ts';
import type { NamedFile } from '../../output/find-destination-problem.ts';
import { findFalseDelimiter, stdoutTablePath } from '../../output/output-paths.ts';
import { createPlainTable } from '../../output/plain-table.ts';
import { findColumnClash } from '../../output/table-columns.ts';
import { findHoldout, findRunDestinationProblem } from './destinations.ts';
import { inspectCode } from './inspect-code.ts';
import { sampleJsonWord } from './json-word-sample.ts';
import { findKnownEnd, type KnownEnd } from './model-end.ts';
import { findOldState } from './old-state.ts';
import type { PreparedJob } from './prepared-job.ts';
import { placeDatedTable } from './run-date.ts';
import { findSharedTable } from './shared-table.ts';
import { locateStateDirectory, type Target } from './target.ts';

export interface PrepareOptions {
  /** The job file; or a job defined by a program, which `overrides` do not change. */
  readonly jobFile: string | LoadedJob;
  readonly overrides: JobOverrides & { readonly cwd: string };
  /** Replaces `.rowmill`; null for the default next to the job file. */
  readonly stateRoot: string | null;
  readonly target: Pick<Target, 'origin'>;
  /** The source of a table `-`; null reads the copy the last run kept. */
  readonly stdin: Readable | null;
  /** Where the environment came from: files that must not be overwritten. */
  readonly environmentFiles?: readonly string[];
  /** When the job's model ends, as reported by the address itself; absent if it was not asked. */
  readonly toldEnd?: ModelEnd | null;
  /** Called with the path of the table for standard output, before anything is sent; absent if there is no standard output. @throws UsageError if it is taken */
  readonly claimStdout?: (path: string) => void;
  /** Whether the job is to be run: then its output paths are checked. */
  readonly isToWrite?: boolean;
  /** The clock for the day in a table's name; absent: the real one. */
  readonly clock?: () => Date;
  /** Other files the command writes, as typed: checked with the rest; absent if there are none. */
  readonly besides?: readonly NamedFile[];
  readonly signal: AbortSignal;
  /** Renames a directory that an early version made for this base URL; absent if nothing may be changed. */
  readonly renameOldState?: (from: string, to: string, job: string) => Promise<void>;
}

/**
 * Reads the job, opens its table and compiles its templates. Nothing is sent, and only a table on standard input is written.
 * @throws UsageError with every problem of the job file, or of the table, or of the templates with the table's columns
 */
export async function prepareJob(options: PrepareOptions): Promise<PreparedJob> {
  const given = typeof options.jobFile === 'string' ? await loadJob(options.jobFile, options.overrides) : options.jobFile;
  const customPrices = await loadPrices(given.job.directory, options.overrides.cwd);
  const named = locateStateDirectory(given.job, options.target.origin, options.stateRoot);
  const old = findOldState(given.job, options.target.origin, options.stateRoot);
  if (old !== null) await options.renameOldState?.(old, named, given.job.name);
  const stateDirectory = old !== null && options.renameOldState === undefined ? old : named;
  const when = { now: options.clock?.() ?? new Date(), isToWrite: options.isToWrite === true, signal: options.signal };
  const placed = placeStdoutTable(await placeDatedTable(given, stateDirectory, when), stateDirectory);
  const { input, write } = placed.job;
  if (options.isToWrite === true && write.isStdout === true) claimStdout(options, write.path);
  const spoolPath = join(stateDirectory, 'stdin');
  const missingFolder = findMissingFolder(stateDirectory);
  try {
    if (input.path === '-') makeFolders(stateDirectory, 0o700);
    const { stdin, overrides, signal } = options;
    const given = await openTable(input, { stdin, spoolPath, cwd: overrides.cwd, signal }).catch((error: unknown) => {
      throw placeError(error, findInputPlace(placed, overrides));
    });
    const job = bindRequests(placed.job, given.requests);
    const loaded = { ...placed, job };
    const prompts = loaded.code == null || loaded.code.renderMessages === null ? null : createCodePrompts(job, loaded.code, given);
    const table = prompts === null ? given : prompts.awaitIn(given);
    const tokens = createModelTokens(job.model);
    const from = findPriceSource(hostOfOrigin(options.target.origin));
    const findPrice = createFindPrice(customPrices, { from, keepsCacheLong: keepsCacheLong(job.params) });
    const limits = {
      maxBodyBytes: MAX_SHARD_BYTES / 2,
      ...modelLimits(job.model),
      estimateTokens: (body: string) => tokens.own.estimateOne(body),
      findTooDear: createRowLimit(job, findPrice),
    };
    const chosen = await readExamples(loaded, { cwd: options.overrides.cwd, signal: options.signal });
    if (options.isToWrite === true)
      await refuseDestinations(loaded, { table, exampleFiles: chosen?.table.files ?? [], stateDirectory, options });
    const bound = { ...loaded, prompts, ...(chosen === null ? {} : { examples: chosen.examples }) };
    const bare = compileJob(bound, table, limits);
    if (options.isToWrite === true) await inspectCode(loaded, { table: given, prompts, signal: options.signal });
    const sharedTable = options.isToWrite === true ? await findSharedTable({ job, stateDirectory, cwd: overrides.cwd, signal }) : null;
    const falseDelimiter = options.isToWrite === true ? findFalseDelimiter(job.write.path, job.write.delimiter) : null;
    const shared = sharedTable === null ? [] : [`${sharedTable.what}, and this run will replace it; give each job its own write.path`];
    const sampled = await withSample(bare, { ...options, table, loaded });
    const compiled = {
      ...sampled,
      warnings: [...sampled.warnings, ...shared, ...(falseDelimiter === null ? [] : [`write: ${falseDelimiter}`])],
    };
    const clash = findColumnClash({ ...job.write, columns: table.columns, answerColumns: compiled.answerColumns });
    if (clash !== null) throw new UsageError(`write: ${clash.message}`);
    return {
      compiled,
      table,
      examples: chosen,
      stateDirectory,
      sharedTable,
      missingFolder,
      findPrice,
      priceNoteAt: (at) => findPriceNote(job.model, at, customPrices, from),
      modelEnds: listKnownEnds(job, options),
      customPricesSha256: hashPrices(customPrices),
      tokens,
      compileWith: (params) => compileJob({ ...bound, job: { ...job, params: setParams(job.params, params) } }, table, limits),
    };
  } catch (error) {
    if (missingFolder !== null) {
      // The piped input of a refused job.
      removeQuietly(spoolPath);
      removeEmptyFolders(stateDirectory, missingFolder);
    }
    throw asDiskError(error);
  }
}

function listKnownEnds(job: Job, { target, toldEnd }: Pick<PrepareOptions, 'target' | 'toldEnd'>): readonly KnownEnd[] {
  const ends = listModels(job).flatMap((model) => findKnownEnd(model, target, model === job.model ? toldEnd : undefined) ?? []);
  return ends.toSorted((a, b) => (a.end.endsOn < b.end.endsOn ? -1 : 1));
}

/** A table for standard output is written like any other, into the state directory; the caller passes it on. */
function placeStdoutTable(loaded: LoadedJob, stateDirectory: string): LoadedJob {
  const { job } = loaded;
  if (job.write.isStdout !== true) return loaded;
  return { ...loaded, job: { ...job, write: { ...job.write, path: stdoutTablePath(stateDirectory, job.write.path) } } };
}

function claimStdout(options: PrepareOptions, path: string): void {
  if (options.claimStdout === undefined)
    throw new UsageError('write.path: - is standard output, which only the command line has; name a file');
  options.claimStdout(path);
}

/** The same job with what its first rows show; if nothing is to be sent they are not read. @throws UsageError if no row could be sent */
async function withSample(
  compiled: CompiledJob,
  {
    isToWrite,
    table,
    loaded,
    signal,
  }: Pick<PrepareOptions, 'isToWrite' | 'signal'> & { readonly table: InputTable; readonly loaded: LoadedJob },
): Promise<CompiledJob> {
  const warning = isToWrite === true ? await sampleJsonWord(compiled, { table, source: loaded.source, signal }) : null;
  return warning === null ? compiled : { ...compiled, warnings: [...compiled.warnings, warning] };
}

/** `params.extra` may request a cache of twelve hours; rowmill itself never does. */
export function keepsCacheLong({ extra }: Readonly<Record<string, unknown>>): boolean {
  const options = (extra as { readonly prompt_cache_options?: { readonly ttl?: unknown } | null } | undefined)?.prompt_cache_options;
  return options?.ttl === '12h';
}

interface Destined {
  readonly table: InputTable;
  readonly exampleFiles: readonly string[];
  readonly stateDirectory: string;
  readonly options: PrepareOptions;
}

/** @throws UsageError if a file the run would write cannot be written, or is one it reads */
async function refuseDestinations({ job, source }: LoadedJob, { table, exampleFiles, stateDirectory, options }: Destined): Promise<void> {
  const { overrides, environmentFiles = [], besides = [] } = options;
  const read = { job, tableFiles: table.files, exampleFiles, environmentFiles, besides };
  const { cwd } = overrides;
  const problem = await findRunDestinationProblem(read, { stateDirectory, cwd });
  if (problem === null) return;
  // A path from the command line has no place in the file.
  const place = overrides.out == null ? source.placeOf(['write', 'path']) : null;
  const isBeside = besides.some(({ name }) => problem.startsWith(name));
  throw new UsageError([{ place: isBeside ? null : place, message: isBeside ? problem : `write: ${problem}` }], { code: 'output' });
}

function findMissingFolder(directory: string): string | null {
  let missing: string | null = null;
  for (let folder = directory; !existsSync(folder); folder = dirname(folder)) missing = folder;
  return missing;
}

/** A refused job leaves no state directory behind: removes the folders created for it, innermost first, if they are empty; some may be gone already. */
export function removeEmptyFolders(innermost: string, outermost: string): void {
  for (let folder = innermost; folder.length >= outermost.length; folder = dirname(folder)) {
    try {
      rmdirSync(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return;
    }
  }
}

/** Writes the rows of the table of examples that are not shown to the model, under the job's own names and with the delimiter it reads: for evaluating its answers. */
export async function writeHoldout({ examples, compiled, table }: PreparedJob, signal: AbortSignal): Promise<void> {
  const path = findHoldout(compiled.job, table.files);
  if (examples === null || path === null) return;
  const holdout = await createPlainTable(path, examples.columns, { delimiter: compiled.job.input.delimiter });
  try {
    for await (const rows of examples.table.readRows(signal)) {
      for (const row of rows) if (!examples.isChosen(row)) await holdout.write(row.cells);
    }
    await holdout.finish();
  } catch (error) {
    await holdout.abandon();
    throw error;
  }
}
