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
  removeTemporaryFiles,
  replaceByCopy,
  syncDirectory,
} from './disk/durable-files.ts';
import type { Lock } from './disk/lock.ts';
import { clearDirectory, isNeverUsed, removeIfEmpty } from './disk/unused-directory.ts';
import { type LogEnd, openEventLog } from './events/event-log.ts';
import { isMisplaced } from './events/shard-transitions.ts';
import type { FinishBatchOptions, Ledger, LedgerOptions, RecordResponseOptions } from './ledger.ts';
import { formatShard, type LedgerState } from './ledger-state.ts';
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

export interface WritingOptions extends Pick<LedgerOptions, 'directory' | 'origin' | 'signal' | 'clock' | 'randomId'> {
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

/** What a ledger opened for reading does instead. */
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

  if (options.lock.isTakenOver) replaceByCopy(path.join(responses, makeLiveName(state.fold)), randomId());
  cutTornLines(responses, options.lock.assertHeld);

  const recorder = createRecorder({ ...options, directory: responses, announce: (event) => announce(event) });
  const log = openEventLog({
    file: options.eventsFile,
    end: options.end,
    clock: options.clock,
    assertWritable: options.lock.assertHeld,
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
    announce: (event) => log.append(event),
  });
  let lastShard = Math.max(0, ...[...state.fold.shards.values()].map((shard) => shard.number));

  const requestPath = (shard: string) => path.join(requests, `${shard}.jsonl`);
  const removeRequests = (shard: string) => fs.rmSync(requestPath(shard), { force: true });

  /** What lines of live calls mean depends on the events before them, so both keep their order; only the calls' own events may pass. */
  async function announce(event: Event): Promise<void> {
    if (isMisplaced(event, state.fold)) throw new Error(`${event.type} does not follow from where its shard stands`);
    if (event.type === 'call-intent' || event.type === 'call-queued' || event.type === 'call-refused') return log.append(event);
    live.closePart();
    const announced = log.append(event);
    live.waitFor(announced);
    return announced;
  }

  async function recordResponse({ batchId, kind, temporaryPath, createdSeconds }: RecordResponseOptions): Promise<ResponseFile> {
    const name = makeResponseName(batchId, kind);
    if (state.files.some((file) => file.name === name)) fs.rmSync(temporaryPath, { force: true });
    else await publishDownload(temporaryPath, path.join(responses, name), options.lock.assertHeld);
    return recorder.record({ name, batchId, createdSeconds });
  }

  async function finishBatch({ batchId, status, rejected, usage }: FinishBatchOptions): Promise<{ missing: number }> {
    const batch = state.fold.batches.get(batchId);
    if (batch === undefined || batch.isCollected) return { missing: 0 };
    const missing = status === 'failed' ? [] : state.findMissing(batch, new Set(rejected.map((request) => request.customId)));
    await announce({ type: 'batch-collected', batchId, status, missing, rejected, usage });
    if (batch.shard !== null && state.fold.shards.get(batch.shard)?.status === 'collected') removeRequests(batch.shard);
    return { missing: missing.length };
  }

  try {
    if (options.end.seq === 0) {
      await log.append({ type: 'state-created', state: randomId(), format: FORMATS.state, version: VERSION, origin: options.origin });
      for (const directory of [options.directory, path.dirname(options.directory)]) syncDirectory(directory);
    }
    for (const name of listNames(requests)) if (isSpent(state, name)) fs.rmSync(path.join(requests, name));
    await recorder.recordLeftovers();
    await takeLiveLeftovers({ ...options, directory: responses }, ({ name, offsetBytes, bytes, lines, createdSeconds }, sha256) =>
      log.append({ type: 'live-recorded', file: name, offsetBytes, bytes, lines, sha256, createdSeconds }),
    );
    const openCalls = [...state.fold.openCalls].flatMap(([customId, { calls, bodyBytes }]) => Array(calls).fill({ customId, bodyBytes }));
    if (openCalls.length > 0)
      await announce({ type: 'call-unknown', calls: openCalls, why: 'the process ended before the answer was kept' });
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
    async closeUnused() {
      await closeFiles();
      // Whoever waits for the lock finds the directory as it was, or one in which nothing has been.
      const isCleared = options.lock.isHeld() && isNeverUsed(state) && clearDirectory(options.directory);
      options.lock.release();
      if (isCleared) removeIfEmpty(options.directory);
    },
  };

  async function closeFiles(): Promise<void> {
    await live.close();
    await log.close();
    await options.close();
  }
}

/** Stands for the live lane where shards have their number; shards have six digits. */
const LIVE_QUEUE = 0xffffff;

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

/** Whether a request file is of no more use: never announced, or its shard is done. The keys stay in the events. */
function isSpent(state: LedgerState, name: string): boolean {
  const shard = state.fold.shards.get(path.basename(name, '.jsonl'));
  return shard === undefined || shard.status === 'collected' || shard.status === 'retired';
}
