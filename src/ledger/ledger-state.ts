import type { RejectedRequest } from '../core/event.ts';
import type { OutcomeStatus } from '../core/outcome.ts';
import { parseCustomId } from '../core/request.ts';
import type { SettledRecord } from '../core/settled.ts';
import type { PlacedEvent } from './events/event-log.ts';
import type { BatchState, LedgerFold, ShardStatus } from './events/fold.ts';
import { createFold } from './events/fold-events.ts';
import { type Arrival, countsForIndex, hasInFlight, isUnasked, NO_DOUBTS, takeArrival, takeRecord } from './index-rules.ts';
import { KeyIndex } from './key-index.ts';
import { type EventOf, makeLivePart, makeResponseFile, type ResponseFile, type VisitRecord } from './response-file.ts';

export interface LedgerStateOptions {
  readonly visit: VisitRecord;
  /** Reads a shard's custom ids from its event's line. */
  readonly readCustomIds: (line: EventPlace) => readonly string[];
}

/** What the end of its batch means for a request without a line. A lost batch may have executed and billed it. */
const OUTCOME_BY_STATUS: Readonly<Record<string, OutcomeStatus>> = { expired: 'expired', cancelled: 'cancelled', lost: 'unknown' };

/** The location of an event's line in `events.jsonl`. */
export type EventPlace = Pick<PlacedEvent, 'offsetBytes' | 'lengthBytes'>;

/** What the ledger holds in memory: the fold, the index by key, and locations. Events and records change it; it does no I/O itself. */
export interface LedgerState {
  readonly fold: LedgerFold;
  readonly keys: KeyIndex;
  readonly files: readonly ResponseFile[];
  /** Lines that were counted but are not answers, by kind. */
  readonly anomalies: ReadonlyMap<string, number>;
  /** The same by response file number; only for files that have any. */
  readonly anomaliesByFile: ReadonlyMap<number, ReadonlyMap<string, number>>;
  /** Names of altered response files, by number: their cost counts, their answers do not. */
  readonly altered: ReadonlyMap<number, string>;
  /** Why validation refused a key's request. */
  readonly rejections: ReadonlyMap<number, RejectedRequest>;
  /** The control characters in a row's own prompt; null if its prompt was announced by a version that did not record them. */
  promptControls(customId: string): string | null;
  takeEvent(placed: PlacedEvent): void;
  /** Reports, before its records are applied, that a file has been altered. */
  markAltered(file: ResponseFile): void;
  /** Counts a part of a live file as recorded while its lines are still arriving; the event that records it then changes nothing. */
  beginPart(part: ResponseFile): void;
  /** Starts applying a recorded file. */
  openIntake(file: ResponseFile, anomaliesOfLines: Readonly<Record<string, number>>): FileIntake;
  readShardIds(shard: string): readonly string[];
  /**
   * Requests of a batch's shard that have no line and are not among the rejected ones.
   * @param answered those with a line; null treats all as answered that are no longer in flight in the shard
   */
  findMissing(batch: BatchState, rejected: ReadonlySet<string>, answered: ReadonlySet<string> | null): readonly string[];
}

/** Applies one record of a file. @returns the offset of the previous record in `settled.jsonl`, or -1 */
export type FileIntake = (record: SettledRecord, settledOffset: number, isRepeat: boolean) => number;

export function createLedgerState(options: LedgerStateOptions): LedgerState {
  const { fold, apply, closeCall } = createFold();
  const keys = new KeyIndex();
  const files: ResponseFile[] = [];
  const anomalies = new Map<string, number>();
  const anomaliesByFile = new Map<number, Map<string, number>>();
  const altered = new Map<number, string>();
  const rejections = new Map<number, RejectedRequest>();
  const controls = new Map<number, string>();
  const shardLines = new Map<string, EventPlace>();

  function readShardIds(shard: string): readonly string[] {
    const line = shardLines.get(shard);
    return line === undefined ? [] : options.readCustomIds(line);
  }

  function releaseShard(shard: string): void {
    const { number } = fold.shards.get(shard) ?? { number: 0 };
    for (const customId of readShardIds(shard)) {
      const id = findId(customId);
      if (id !== -1 && keys.shard(id) === number) keys.setShard(id, 0);
    }
  }

  function countAnomaly(file: ResponseFile, kind: string, lines: number): void {
    anomalies.set(kind, (anomalies.get(kind) ?? 0) + lines);
    const ofFile = anomaliesByFile.get(file.number) ?? new Map<string, number>();
    anomaliesByFile.set(file.number, ofFile.set(kind, (ofFile.get(kind) ?? 0) + lines));
  }

  function findId(customId: string): number {
    const parts = parseCustomId(customId);
    return parts === null ? -1 : keys.find(parts.key);
  }

  function takeEvent({ event, offsetBytes, lengthBytes }: PlacedEvent): void {
    apply(event);
    switch (event.type) {
      case 'shard-written':
        shardLines.set(event.shard, { offsetBytes, lengthBytes });
        takeShard(event);
        return;
      case 'shard-retired':
        releaseShard(event.shard);
        return;
      case 'generation-started':
        rejections.clear();
        keys.forgetAll((shard) => isBeforeCreate(fold.shards.get(formatShard(shard))?.status));
        return;
      case 'create-done':
        // The generation changed while it was unknown whether the batch exists: it does, and its answers count only as cost.
        if (fold.batches.get(event.batchId)?.generation !== fold.generation) releaseShard(event.shard);
        return;
      case 'retry-opened':
        for (const key of event.keys) {
          const id = keys.add(key);
          keys.setReopened(id, true);
          keys.setDoubts(id, NO_DOUBTS);
        }
        return;
      case 'batch-returned':
        takeReturned(event.batchId);
        return;
      case 'response-recorded':
        files.push(makeResponseFile(fold, event, files.length + 1));
        return;
      case 'live-recorded':
        if (!files.some((file) => file.name === event.file && file.offsetBytes === event.offsetBytes)) {
          files.push(makeLivePart(fold, event, files.length + 1));
        }
        return;
      case 'call-intent':
      case 'call-queued':
        takeCalls(event);
        return;
      case 'call-unknown':
        for (const { customId } of event.calls) takeUnknown(customId, event.isInterruption === true);
        return;
      case 'batch-collected':
        takeCollected(event);
        return;
      default:
        return;
    }
  }

  function takeShard({ shard, customIds, controls: found }: EventOf<'shard-written'>): void {
    const number = Number(shard);
    for (const customId of customIds) {
      const parts = parseCustomId(customId);
      if (parts === null) continue;
      const id = keys.add(parts.key);
      keys.setShard(id, number);
      if (found !== undefined && parts.reask === 0) keys.setPromptRead(id);
    }
    for (const [customId, ofPrompt] of Object.entries(found ?? {})) takeControls(customId, ofPrompt);
  }

  function takeCalls({ calls, controls: found }: EventOf<'call-intent' | 'call-queued'>): void {
    for (const { customId } of found === undefined ? [] : calls) {
      const parts = parseCustomId(customId);
      if (parts?.reask === 0) keys.setPromptRead(keys.add(parts.key));
    }
    for (const [customId, ofPrompt] of Object.entries(found ?? {})) takeControls(customId, ofPrompt);
  }

  /** Re-asks show the model its own answer: characters in it are not from the prompt. */
  function takeControls(customId: string, ofPrompt: string): void {
    const parts = parseCustomId(customId);
    if (parts?.reask === 0) controls.set(keys.add(parts.key), ofPrompt);
  }

  function takeUnknown(customId: string, isInterruption: boolean): void {
    const parts = parseCustomId(customId);
    if (parts === null) return;
    const arrival: Arrival = {
      outcome: 'unknown',
      isUnreadable: false,
      reask: parts.reask,
      attemptEpoch: fold.attemptEpoch,
      shard: 0,
      location: null,
      isRepeat: false,
      ...(isInterruption ? { doubt: 'interruptions' } : {}),
    };
    takeArrival(keys, keys.add(parts.key), arrival, fold);
  }

  function takeCollected(event: EventOf<'batch-collected'>): void {
    const batch = fold.batches.get(event.batchId);
    if (batch === undefined || !countsForIndex(batch, fold)) return;
    const shard = shardNumberOf(batch);
    const take = (customId: string, outcome: OutcomeStatus): number => {
      const parts = parseCustomId(customId);
      const id = parts === null ? -1 : keys.find(parts.key);
      if (parts === null || id === -1 || keys.shard(id) !== shard) return -1;
      const { attemptEpoch } = batch;
      const arrival: Arrival = {
        outcome,
        isUnreadable: false,
        reask: parts.reask,
        attemptEpoch,
        shard,
        location: null,
        isRepeat: false,
        ...(outcome === 'unknown' ? { doubt: 'vanishedBatches' } : {}),
      };
      takeArrival(keys, id, arrival, fold);
      return id;
    };
    for (const rejected of event.rejected) {
      const id = take(rejected.customId, 'bad_request');
      if (id !== -1) rejections.set(id, rejected);
    }
    const outcome = OUTCOME_BY_STATUS[event.status] ?? 'missing';
    for (const customId of event.missing) take(customId, outcome);
  }

  /** Rows of a batch that reappeared are in flight in it again, unless they have got another result. */
  function takeReturned(batchId: string): void {
    const batch = fold.batches.get(batchId);
    if (batch === undefined || batch.shard === null || !countsForIndex(batch, fold)) return;
    for (const customId of readShardIds(batch.shard)) {
      const id = findId(customId);
      if (id === -1 || keys.outcome(id) !== 'unknown' || keys.shard(id) !== 0 || keys.attemptEpoch(id) !== batch.attemptEpoch) continue;
      const { vanishedBatches, interruptions } = keys.doubts(id);
      if (vanishedBatches === 0) continue;
      keys.setDoubts(id, { vanishedBatches: vanishedBatches - 1, interruptions });
      keys.setCounts(id, Math.max(0, keys.attempts(id) - 1), keys.idleRounds(id));
      keys.setShard(id, shardNumberOf(batch));
    }
  }

  function shardNumberOf(batch: BatchState | undefined): number {
    return batch?.shard == null ? 0 : (fold.shards.get(batch.shard)?.number ?? 0);
  }

  return {
    fold,
    keys,
    files,
    anomalies,
    anomaliesByFile,
    altered,
    rejections,
    takeEvent,
    markAltered: (file) => void altered.set(file.number, file.name),
    promptControls(customId) {
      const id = findId(customId);
      return id === -1 || !keys.isPromptRead(id) ? null : (controls.get(id) ?? '');
    },
    beginPart: (part) => void files.push(part),
    openIntake(file, anomaliesOfLines) {
      const batch = fold.batches.get(file.batchId);
      const shard = shardNumberOf(batch);
      const counts = countsForIndex(file, fold);
      for (const [kind, lines] of Object.entries(anomaliesOfLines)) countAnomaly(file, kind, lines);
      return (record, settledOffset, isRepeat) => {
        const announced = file.lane === 'live' ? (fold.openCalls.get(record.customId) ?? fold.queuedCalls.get(record.customId)) : undefined;
        const announcedAt = announced?.announcedAt ?? batch?.announcedAt ?? null;
        options.visit(record, file, { isRepeat, bodyBytes: announced?.bodyBytes ?? null, announcedAt });
        if (file.lane === 'live') closeCall(record.customId);
        const parts = counts ? parseCustomId(record.customId) : null;
        if (parts === null) return -1;
        const id = keys.add(parts.key);
        if (!isRepeat && isUnasked(keys, id, shard)) countAnomaly(file, 'unasked', 1);
        const { offsetBytes, lengthBytes } = record.location;
        const location = { file: file.number, offsetBytes, lengthBytes };
        const arrival: Arrival = {
          outcome: altered.has(file.number) ? 'unknown' : record.outcome,
          isUnreadable: record.isUnreadable && !altered.has(file.number),
          reask: parts.reask,
          attemptEpoch: file.attemptEpoch,
          shard,
          location,
          isRepeat,
        };
        return takeRecord(keys, id, arrival, settledOffset, fold);
      };
    },
    readShardIds,
    findMissing(batch, rejected, answered) {
      if (batch.shard === null) return [];
      const number = shardNumberOf(batch);
      if (answered === null && !hasInFlight(keys, number)) return [];
      const isInFlight = (customId: string) => {
        const id = findId(customId);
        return id !== -1 && keys.shard(id) === number;
      };
      const isMissing = answered === null ? isInFlight : (customId: string) => !answered.has(customId);
      return readShardIds(batch.shard).filter((customId) => isMissing(customId) && !rejected.has(customId));
    },
  };
}

/** Shards are named by their number with six digits. */
export function formatShard(number: number): string {
  return String(number).padStart(6, '0');
}

/** Whether a shard may still become a batch of the generation that starts now. */
export function isBeforeCreate(status: ShardStatus | undefined): boolean {
  return status !== undefined && status !== 'submitted' && status !== 'collected' && status !== 'retired';
}
