import fs from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { LedgerError } from '../core/errors.ts';
import type { Event } from '../core/event.ts';
import { FORMATS } from '../core/formats.ts';
import type { DecideLine } from '../core/response-line.ts';
import { VERSION } from '../core/version.ts';
import {
  listNames,
  makePrivateDirectory,
  makeTemporaryPath,
  publishFile,
  removeQuietly,
  removeTemporaryFiles,
  replaceByCopy,
  syncDirectory,
} from './disk/durable-files.ts';
import type { Lock } from './disk/lock.ts';
import { createDiskReserve } from './disk/reserve.ts';
import { clearDirectory, isNeverUsed, removeIfEmpty } from './disk/unused-directory.ts';
import { type LogEnd, openEventLog } from './events/event-log.ts';
import type { BatchState } from './events/fold.ts';
import { isMisplaced } from './events/shard-transitions.ts';
import { countsForIndex } from './index-rules.ts';
import { type FinishBatchOptions, type Ledger, type LedgerOptions, LIVE_QUEUE, type RecordResponseOptions } from './ledger.ts';
import { formatShard, type LedgerState } from './ledger-state.ts';
import { endLostCalls } from './lost-calls.ts';
import { measureRequests, readAnsweredIds } from './missing-lines.ts';
import { makeLiveName, makeResponseName, type ResponseFile } from './response-file.ts';
import { createLiveWriter } from './responses/live-file.ts';
import { cutTornLines, takeLiveLeftovers } from './responses/live-leftovers.ts';
import { createRecorder } from './responses/recorder.ts';
import type { SettledIndex } from './responses/settled-index.ts';
import { openShardWriter } from './shard-writer.ts';

/** The part of a ledger that changes things. */
export type Writing = Pick<
  Ledger,
  | 'append'
  | 'assertHeld'
  | 'nextShardId'
  | 'createShardWriter'
  | 'createTemporaryResponsePath'
  | 'recordResponse'
  | 'finishBatch'
  | 'recordLines'
  | 'markQueued'
  | 'close'
  | 'closeUnused'
>;

export interface WritingOptions extends Pick<LedgerOptions, 'directory' | 'origin' | 'signal' | 'clock' | 'randomId' | 'waiting'> {
  readonly decide: DecideLine;
  readonly eventsFile: string;
  readonly end: LogEnd;
  readonly lock: Lock;
  readonly state: LedgerState;
  readonly settled: SettledIndex;
  readonly readLineIds: (customId: string) => readonly string[];
  /** Closes what reading opened. */
  readonly close: () => Promise<void>;
}

/** The methods of a ledger opened for reading. */
export function refuseWriting(directory: string, close: () => Promise<void>): Writing {
  const refuse = (): never => {
    throw new LedgerError('the state directory was opened for reading', { file: directory, line: 0 });
  };
  return {
    append: async () => refuse(),
    assertHeld: () => undefined,
    nextShardId: refuse,
    createShardWriter: refuse,
    createTemporaryResponsePath: refuse,
    recordResponse: async () => refuse(),
    finishBatch: async () => refuse(),
    recordLines: async () => refuse(),
    markQueued: refuse,
    close,
    closeUnused: close,
  };
}

/** Opens the log for appending, repairs what a crash left, and records the response files that have no event yet. */
export async function createWriting(options: WritingOptions): Promise<Writing> {
  const { state, randomId } = options;
  const requests = path.join(options.directory, 'requests');
  const responses = path.join(options.directory, 'responses');
  for (const directory of [requests, responses]) makePrivateDirectory(directory);
  options.lock.assertHeld();
  for (const directory of [options.directory, requests, responses]) removeTemporaryFiles(directory);
  // Rows of a table, which early versions kept while a run was open.
  for (const name of ['table.rows', 'table.rows.part']) removeQuietly(path.join(options.directory, name));

  if (options.lock.isTakenOver) replaceByCopy(path.join(responses, makeLiveName(state.fold)), randomId());
  cutTornLines(responses, options.lock.assertHeld);

  const recorder = createRecorder({ ...options, directory: responses, announce: (event) => announce(event) });
  const reserve = createDiskReserve(options.directory);
  const log = openEventLog({
    file: options.eventsFile,
    reserve,
    end: options.end,
    clock: options.clock,
    assertWritable: options.lock.assertHeld,
    tell: options.waiting?.tell ?? (() => undefined),
    onDurable(placed) {
      state.takeEvent(placed);
      if (placed.event.type === 'response-recorded') recorder.takeIn(state.files.at(-1) as ResponseFile);
      if (placed.event.type === 'shard-retired') removeRequests(placed.event.shard);
    },
  });
  const live = createLiveWriter({
    ...options,
    directory: responses,
    assertWritable: options.lock.assertHeld,
    reserve,
    announce: (event) => log.append(event),
  });
  let lastShard = Math.max(0, ...[...state.fold.shards.values()].map((shard) => shard.number));

  const requestPath = (shard: string) => path.join(requests, `${shard}.jsonl`);
  const removeRequests = (shard: string) => removeQuietly(requestPath(shard));

  /** What lines of live calls mean depends on the events before them, so both keep their order; only the calls' own events may overtake. */
  async function announce(event: Event): Promise<void> {
    if (isMisplaced(event, state.fold)) throw new Error(`${event.type} is not allowed in the current state of its shard`);
    makeRoom(event);
    if (event.type === 'call-intent' || event.type === 'call-queued' || event.type === 'call-refused') return log.append(event);
    live.closePart();
    const announced = log.append(event);
    live.waitFor(announced);
    return announced;
  }

  /** Before spending, so that the result can be recorded: a full disk is noticed while nothing is spent. */
  function makeRoom(event: Event): void {
    if (event.type === 'create-intent') reserve.ensure(EVENT_BYTES);
    if (event.type !== 'call-intent' && event.type !== 'call-queued') return;
    const calls = Math.min(state.fold.openCalls.size + event.calls.length, MAX_CALLS);
    reserve.ensure(EVENT_BYTES + calls * ANSWER_BYTES);
    live.prepare();
  }

  async function recordResponse({ batchId, kind, temporaryPath, createdSeconds }: RecordResponseOptions): Promise<ResponseFile> {
    const name = makeResponseName(batchId, kind);
    if (state.files.some((file) => file.name === name)) fs.rmSync(temporaryPath, { force: true });
    else await publishDownload(temporaryPath, path.join(responses, name), options.lock.assertHeld);
    return recorder.record({ name, batchId, createdSeconds });
  }

  /** After a refusal nothing was executed; a batch that reappeared and failed still gives its rows back. */
  async function findMissing(
    batch: BatchState,
    status: string,
    rejected: ReadonlySet<string>,
  ): Promise<{ readonly missing: readonly string[]; readonly givenBack: number }> {
    if (status === 'failed' && !batch.hasReturned) return { missing: [], givenBack: 0 };
    const inFlight = countsForIndex(batch, state.fold) ? state.findMissing(batch, rejected, null) : [];
    if (countsForIndex(batch, state.fold) && !batch.hasReturned) return { missing: inFlight, givenBack: inFlight.length };
    // Its answers count only as cost, or the index has moved on: its own lines show what is missing.
    const answered = await readAnsweredIds(batch, state.files, options.settled);
    return { missing: state.findMissing(batch, rejected, answered), givenBack: inFlight.length };
  }

  async function finishBatch({
    batchId,
    status,
    rejected,
    usage,
    isMissingUnexecuted = false,
    fileIds = [],
  }: FinishBatchOptions): Promise<{ missing: number }> {
    const batch = state.fold.batches.get(batchId);
    if (batch === undefined || batch.isCollected) return { missing: 0 };
    const { missing, givenBack } = await findMissing(batch, status, new Set(rejected.map((request) => request.customId)));
    const missingBytes = missing.length === 0 ? null : await measureRequests(requestPath(batch.shard ?? ''), missing, options.signal);
    const measured = {
      ...(missingBytes === null ? {} : { missingBytes }),
      ...(missing.length > 0 && isMissingUnexecuted ? { isMissingUnexecuted } : {}),
    };
    const taken = fileIds.length === 0 ? {} : { fileIds };
    await announce({ type: 'batch-collected', batchId, status, missing, ...measured, rejected, usage, ...taken });
    if (batch.shard !== null && state.fold.shards.get(batch.shard)?.status === 'collected') removeRequests(batch.shard);
    return { missing: givenBack };
  }

  try {
    if (options.end.seq === 0) {
      await log.append({ type: 'state-created', state: randomId(), format: FORMATS.state, version: VERSION, origin: options.origin });
      // The folder of the job too: `.rowmill` in it may be new.
      const root = path.dirname(options.directory);
      for (const directory of [options.directory, root, path.dirname(root)]) syncDirectory(directory);
    }
    for (const name of listNames(requests)) if (isSpent(state, name)) removeQuietly(path.join(requests, name));
    await recorder.recordLeftovers();
    await takeLiveLeftovers({ ...options, directory: responses }, ({ name, offsetBytes, bytes, lines, createdSeconds }, sha256) =>
      log.append({ type: 'live-recorded', file: name, offsetBytes, bytes, lines, sha256, createdSeconds }),
    );
    const lost = endLostCalls(state.fold);
    if (lost !== null) await announce(lost);
  } catch (error) {
    await log.close();
    throw error;
  }

  return {
    append: announce,
    assertHeld: options.lock.assertHeld,
    nextShardId() {
      lastShard += 1;
      return formatShard(lastShard);
    },
    createShardWriter: (shard) =>
      openShardWriter({
        shard,
        temporaryPath: makeTemporaryPath(requestPath(shard), randomId()),
        finalPath: requestPath(shard),
        assertWritable: options.lock.assertHeld,
        announce,
      }),
    createTemporaryResponsePath: () => makeTemporaryPath(path.join(responses, 'download'), randomId()),
    recordResponse,
    finishBatch,
    recordLines: live.append,
    markQueued: (id, isQueued) => state.keys.setShard(id, isQueued ? LIVE_QUEUE : 0),
    async close() {
      await closeFiles();
      options.lock.release();
    },
    async closeUnused(leave) {
      await closeFiles();
      // A process that waits for the lock finds the directory unchanged, or gone.
      const isHeld = options.lock.isHeld();
      const isCleared = isHeld && isNeverUsed(state) && clearDirectory(options.directory);
      if (isHeld && !isCleared) await leave();
      options.lock.release();
      if (isCleared) removeIfEmpty(options.directory);
    },
  };

  /** Everything that counts is on disk by now. An error here does not hide an earlier one: everything is closed, and the lock released. */
  async function closeFiles(): Promise<void> {
    for (const close of [live.close, log.close, options.close]) await close().catch(() => undefined);
    reserve.release();
  }
}

/** The usual maximum of an answer: 16,000 tokens of text. */
const ANSWER_BYTES = 1 << 16;
/** A shared queue may have more in flight; what does not fit here stays in it. */
const MAX_CALLS = 256;
/** Space for events about effects. */
const EVENT_BYTES = 1 << 17;

/** Makes a downloaded file durable under its name. */
async function publishDownload(temporaryPath: string, finalPath: string, assertWritable: () => void): Promise<void> {
  const handle = await open(temporaryPath, 'r+');
  try {
    await handle.chmod(0o600);
    await handle.sync();
  } finally {
    await handle.close();
  }
  assertWritable();
  publishFile(temporaryPath, finalPath);
}

/** Whether a request file is no longer needed: never announced, or its shard is done. The keys stay in the events. */
function isSpent(state: LedgerState, name: string): boolean {
  const shard = state.fold.shards.get(path.basename(name, '.jsonl'));
  return shard === undefined || shard.status === 'collected' || shard.status === 'retired';
}
