import { rmSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { download } from '../../batch/download/download.ts';
import { hashFile } from '../../core/disk/hash-file.ts';
import { UsageError } from '../../core/errors.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { makeResponseName } from '../../ledger/response-file.ts';
import type { RemoteBatch } from '../../openai/wire.ts';
import { TERMINAL_STATUSES } from '../../openai/wire.ts';
import { formatThings } from '../../output/format-numbers.ts';
import type { Effects } from '../../run/open/effects.ts';
import { type OpenedLedger, openJobLedger } from '../../run/open/open-job-ledger.ts';
import { type PrepareOptions, prepareJob, removeEmptyFolders } from '../../run/open/prepare.ts';
import type { PreparedJob } from '../../run/open/prepared-job.ts';
import type { Connection, Target } from '../../run/open/target.ts';
import { makeBatchContext } from '../../run/send/batch-context.ts';
import { indexRows, type RowIndex, requireMatch } from './index-rows.ts';
import { readForeignRequests } from './read-requests.ts';
import { type Imported, rewriteAnswers } from './rewrite-answers.ts';

export interface ImportOptions extends PrepareOptions {
  readonly target: Target;
  readonly effects: Effects;
  /** Ids of batches at the provider. */
  readonly batchIds: readonly string[];
  /** Local files, as typed; null: those of the provider. */
  readonly inputFile: string | null;
  readonly outputFile: string | null;
  readonly errorFile: string | null;
  readonly warn: (message: string) => void;
}

/** The result of an import; names are a contract (`import --json`). */
export interface ImportResult {
  readonly schema: 'rowmill.import/1';
  readonly job: string;
  readonly state: string;
  readonly batches: readonly ImportedBatch[];
}

export interface ImportedBatch extends Omit<Imported, 'sha256'> {
  /** The id at the provider; for local files a name made from their bytes, unless one was given. */
  readonly id: string;
  /** `known`: all of it had been imported before, and nothing was done. */
  readonly result: 'imported' | 'known';
  /** Lines of the input file. */
  readonly requests: number;
}

/** A batch's files on this disk. */
interface BatchFiles {
  readonly id: string;
  readonly input: string;
  /** Its name in messages. */
  readonly shownInput: string;
  readonly answers: readonly { readonly kind: 'output' | 'error'; readonly path: string }[];
  /** Unix seconds. */
  readonly createdSeconds: number;
}

/**
 * Imports the answers of batches created by another program, if they match requests of the job's table, whether byte for byte or not. Nothing is
 * sent that could cost; the cost of the answers is part of the ledger's total and of no run. Repeating it changes nothing.
 * @throws UsageError if the input file is gone and not given, if no row matches, or the batch has not ended
 */
export async function importBatches(options: ImportOptions): Promise<ImportResult> {
  const prepared = await prepareJob(options);
  const { target, signal } = options;
  const opened = await openJobLedger(prepared, { ...options, origin: target.origin, access: 'write', priceAsOf: null });
  const { ledger } = opened;
  try {
    const rows = await indexRows(prepared, ledger, signal);
    const batches: ImportedBatch[] = [];
    if (options.outputFile !== null || options.errorFile !== null)
      batches.push(await takeFiles(opened, rows, await findFilesAtHand(options), signal));
    else {
      const connection = await target.connect(ledger.directory, ledger.assertHeld);
      try {
        for (const id of options.batchIds) batches.push(await takeRemote(id, { ...options, prepared, opened, rows, connection }));
      } finally {
        await connection.close();
      }
    }
    return { schema: 'rowmill.import/1', job: prepared.compiled.job.name, state: ledger.directory, batches };
  } finally {
    await ledger.closeUnused(async () => {});
    if (prepared.missingFolder !== null) removeEmptyFolders(prepared.stateDirectory, prepared.missingFolder);
  }
}

interface Remote extends ImportOptions {
  readonly prepared: PreparedJob;
  readonly opened: OpenedLedger;
  readonly rows: RowIndex;
  readonly connection: Connection;
}

async function takeRemote(id: string, remote: Remote): Promise<ImportedBatch> {
  const { opened, prepared, rows, signal, effects } = remote;
  const { ledger } = opened;
  const known = ledger.fold.batches.get(id);
  if (known !== undefined && known.status !== 'imported')
    throw new UsageError(`${id} is a batch of this job's own: rowmill run collects it`);
  const { provider } = remote.connection;
  const batch = await provider.retrieveBatch(id, signal);
  refuseBatch(batch, ledger);
  if (batch.metadata.rowmill !== undefined) {
    const owner = `the job ${batch.metadata.rowmill} of rowmill, with another state directory`;
    remote.warn(`${id} was created by ${owner}: if that still exists, it has the same answers on its bill`);
  }
  const never = new AbortController().signal;
  const context = makeBatchContext({
    ...{ effects, ledger, provider, signal, stopping: never, looksMs: [], pollMaxMs: 60_000, warn: remote.warn },
    job: prepared.compiled.job,
  });
  const paths: string[] = [];
  async function fetchFile(fileId: string, kind: string): Promise<string | null> {
    const got = await download(context, { fileId, name: `${id}.${kind}`, asked: { shard: null, rows: batch.counts.total } });
    if (got === null) return null;
    paths.push(got.path);
    if (got.cut !== null) remote.warn(`batch ${id}: its ${kind} file is not used completely: ${got.cut}`);
    return got.path;
  }
  try {
    const answers: { kind: 'output' | 'error'; path: string }[] = [];
    for (const [kind, fileId] of [
      ['output', batch.outputFileId],
      ['error', batch.errorFileId],
    ] as const) {
      const path = fileId === null ? null : await fetchFile(fileId, kind);
      if (path !== null) answers.push({ kind, path });
    }
    if (answers.length === 0) throw new UsageError(`${id} has no answers at the provider (any more): its status is ${batch.status}`);
    const given = remote.inputFile === null ? null : resolve(remote.overrides.cwd, remote.inputFile);
    if (given !== null) requireFile(given, remote.inputFile ?? '');
    const input = given ?? (batch.inputFileId === null ? null : await fetchFile(batch.inputFileId, 'input'));
    if (input === null) {
      throw new UsageError(
        `the input file of ${id} is gone at the provider, and nothing else says what each custom_id asked: pass it with --input-file FILE`,
        { code: 'no_input_file' },
      );
    }
    const shownInput = remote.inputFile ?? `the input file of ${id}`;
    return await takeFiles(opened, rows, { id, input, shownInput, answers, createdSeconds: batch.createdSeconds }, signal);
  } finally {
    for (const path of paths) rmSync(path, { force: true });
  }
}

function refuseBatch({ id, status, metadata }: RemoteBatch, ledger: Ledger): void {
  if (metadata.state === ledger.stateId) throw new UsageError(`${id} is a batch of this job's own: rowmill run finds and collects it`);
  if (!TERMINAL_STATUSES.has(status)) throw new UsageError(`${id} is ${status}: its answers can be imported once it has ended`);
}

async function findFilesAtHand({
  batchIds,
  inputFile,
  outputFile,
  errorFile,
  overrides,
  effects,
  signal,
}: ImportOptions): Promise<BatchFiles> {
  const answers = (
    [
      ['output', outputFile],
      ['error', errorFile],
    ] as const
  ).flatMap(([kind, file]) => (file === null ? [] : [{ kind, path: resolve(overrides.cwd, file), shown: file }]));
  const hashes: string[] = [];
  for (const { path, shown } of answers) {
    requireFile(path, shown);
    hashes.push((await hashFile(path, signal)) ?? '');
  }
  if (inputFile === null) {
    throw new UsageError(
      'the input file of the batch is needed, because it says what each custom_id asked: pass it with --input-file FILE',
      {
        code: 'no_input_file',
      },
    );
  }
  const input = resolve(overrides.cwd, inputFile);
  requireFile(input, inputFile);
  const id = batchIds[0] ?? `file_${(hashes[0] ?? '').slice(0, 24)}`;
  return { id, input, shownInput: inputFile, answers, createdSeconds: Math.floor(effects.clock().getTime() / 1000) };
}

function requireFile(path: string, shown: string): void {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status?.isFile() !== true)
    throw new UsageError(`${shown}: ${status === undefined ? 'no such file' : 'is not a file'}`, { code: 'no_input_file' });
}

/**
 * Rewrites the files and books what is new in them: what is already known is not booked again, under whatever name or in whatever bytes.
 * @throws UsageError if nothing in them answers a row
 */
async function takeFiles(
  { ledger, books }: OpenedLedger,
  rows: RowIndex,
  { id, input, shownInput, answers, createdSeconds }: BatchFiles,
  signal: AbortSignal,
): Promise<ImportedBatch> {
  const asked = await readForeignRequests(input, shownInput, signal);
  requireMatch(id, asked, rows);
  const soFar = { taken: new Map<string, number>(), written: new Set<string>() };
  const temporaryPaths: string[] = [];
  const parts: (Imported & { readonly kind: 'output' | 'error'; readonly temporaryPath: string })[] = [];
  try {
    for (const { kind, path } of answers) {
      const temporaryPath = ledger.createTemporaryResponsePath(`${id}.${kind}.imported`);
      temporaryPaths.push(temporaryPath);
      const { decide, readLineIds } = ledger;
      const how = { asked, rows, decide, readLineIds, costOf: books.costOf, createdSeconds, signal };
      parts.push({ kind, temporaryPath, ...(await rewriteAnswers({ from: path, to: temporaryPath, ...how, ...soFar })) });
    }
    const sources = parts.map(({ sha256 }) => sha256);
    const knownAs = sources.map((source) => ledger.fold.imported.get(source));
    const sums = addParts(parts);
    const fresh = parts.filter(({ matched }) => matched > 0);
    if (fresh.length === 0 && sums.known === 0)
      throw new UsageError(`${id}: ${describeUseless(sums, shownInput)}. Nothing was imported`, { code: 'no_match' });
    // An import that was announced and killed continues under its name; a file that was first imported in part gets its own name.
    const isAnnounced = knownAs.every((name) => name !== undefined);
    const name = knownAs.find((one) => one !== undefined) ?? id;
    const free = fresh.length === 0 ? name : findFreeName(name, fresh, ledger);
    if (fresh.length > 0 && !(isAnnounced && free === name)) {
      const { requests } = asked;
      await ledger.append({ type: 'batch-imported', batchId: free, requests, matched: sums.matched, foreign: sums.foreign, sources });
    }
    for (const { kind, temporaryPath } of fresh) await ledger.recordResponse({ batchId: free, kind, temporaryPath, createdSeconds });
    return { id: free, result: fresh.length === 0 ? 'known' : 'imported', requests: asked.requests, ...sums };
  } finally {
    for (const path of temporaryPaths) rmSync(path, { force: true });
  }
}

function describeUseless({ lines, malformed, foreign }: Omit<Imported, 'sha256'>, shownInput: string): string {
  if (lines === 0) return 'the file of answers is empty';
  if (foreign === 0)
    return `in ${formatThings(malformed, 'line')} there is no answer of a batch; name the file that the provider made from ${shownInput}`;
  return `in ${formatThings(foreign, 'answer')} none answers a request of ${shownInput}; check that both are files of one batch`;
}

/** A batch has one file of each kind: a later one is stored next to it. */
function findFreeName(name: string, parts: readonly { readonly kind: 'output' | 'error' }[], { files }: Ledger): string {
  const isTaken = (candidate: string) => parts.some(({ kind }) => files.some((file) => file.name === makeResponseName(candidate, kind)));
  let candidate = name;
  for (let part = 2; isTaken(candidate); part += 1) candidate = `${name}-part-${part}`;
  return candidate;
}

function addParts(parts: readonly Imported[]): Omit<Imported, 'sha256'> {
  const sum = (name: Exclude<keyof Imported, 'sha256'>) => parts.reduce((total, part) => total + part[name], 0);
  return {
    lines: sum('lines'),
    matched: sum('matched'),
    failed: sum('failed'),
    known: sum('known'),
    foreign: sum('foreign'),
    malformed: sum('malformed'),
    nanoUsd: sum('nanoUsd'),
    foreignNanoUsd: sum('foreignNanoUsd'),
    unpriced: sum('unpriced'),
  };
}
