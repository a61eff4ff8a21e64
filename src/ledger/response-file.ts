import { hash } from 'node:crypto';
import { dayOfSeconds } from '../core/day.ts';
import type { Event } from '../core/event.ts';
import type { LaneName, SettledRecord } from '../core/settled.ts';
import type { BatchState, LedgerFold } from './events/fold.ts';

/** A file below `responses/` recorded by an event; for a live file, which grows, one recorded part. */
export interface ResponseFile {
  /** Counts from 1 in the order of recording, which decides whose answer wins. */
  readonly number: number;
  /** The name below `responses/`. */
  readonly name: string;
  readonly batchId: string;
  readonly lane: LaneName;
  /** The run, attempt epoch and generation its batch was created in; no run and attempt epoch 0 for a file that belongs to no batch of ours. */
  readonly run: string;
  readonly attemptEpoch: number;
  readonly generation: number;
  /** From a batch no shard waits for: counts only as cost. */
  readonly isExtra: boolean;
  /** Its offset in the file of its name: 0 except for later parts of a live file. */
  readonly offsetBytes: number;
  readonly bytes: number;
  readonly lines: number;
  /** Unix seconds: the batch's `created_at`; for a live part, when it was started. */
  readonly createdSeconds: number;
}

/** What is known about the call behind a record, besides its result. */
export interface RecordedCall {
  /** Another line of the same file counts for its request. */
  readonly isRepeat: boolean;
  /** Of its body, as announced; null for a row of a batch, of which only the batch's bytes are known. */
  readonly bodyBytes: number | null;
  /** When it was announced, before it was sent; null if no event of ours announced it. */
  readonly announcedAt: string | null;
}

/** The instant, or the UTC day, on which a recorded call was announced; without an event of ours, on which the provider says it started. */
export function whenAnnounced(file: Pick<ResponseFile, 'createdSeconds'>, { announcedAt }: Pick<RecordedCall, 'announcedAt'>): string {
  return announcedAt ?? dayOfSeconds(file.createdSeconds) ?? '1970-01-01';
}

/** Called with one record of a recorded file. */
export type VisitRecord = (record: SettledRecord, file: ResponseFile, call: RecordedCall) => void;

/** The event of one type. */
export type EventOf<Type extends Event['type']> = Extract<Event, { readonly type: Type }>;

export type ResponseKind = 'output' | 'error';

const SAFE_NAME = /^[A-Za-z0-9_:-][A-Za-z0-9_.:-]{0,127}$/;
const LIVE_NAME = /^live-([A-Za-z0-9][A-Za-z0-9_-]{0,63})(?:\.g\d{1,9})?\.jsonl$/;
/** The end of the name of what is kept of a file whose answers were removed. */
const BILLED_SUFFIX = '.billed';
const RESPONSE_NAME = /^([A-Za-z0-9_:-][A-Za-z0-9_.:-]{0,127})\.(?:output|error)\.jsonl$/;

/** The name under which a file was recorded, before its answers were removed. */
function nameRecorded(name: string): string {
  return isBilledName(name) ? name.slice(0, -BILLED_SUFFIX.length) : name;
}

/** The name of a batch's file. Ids come from a server, so an unusual one is replaced by its hash. */
export function makeResponseName(batchId: string, kind: ResponseKind): string {
  const stem = SAFE_NAME.test(batchId) ? batchId : `hashed-${hash('sha256', batchId, 'hex').slice(0, 32)}`;
  return `${stem}.${kind}.jsonl`;
}

/** Where the billing data is kept once the answers of a recorded file are removed. */
export function makeBilledName(name: string): string {
  return `${name}${BILLED_SUFFIX}`;
}

/** Whether this is such a name. */
export function isBilledName(name: string): boolean {
  return name.endsWith(BILLED_SUFFIX);
}

/** Whether this is the name of a batch's file: no path, no hidden file, not one of the live lane's. */
export function isResponseName(name: string): boolean {
  return RESPONSE_NAME.test(name);
}

/** Whether this is the name of a file of the live lane. */
export function isLiveName(name: string): boolean {
  return LIVE_NAME.test(name);
}

/** The live file of the current run. A run that started a generation after making calls continues in another file. */
export function makeLiveName({ attemptEpoch, epochRuns, generation, generationRun }: LedgerFold): string {
  const run = epochRuns[attemptEpoch] ?? '';
  return generation > 0 && generationRun === run ? `live-${run}.g${generation}.jsonl` : `live-${run}.jsonl`;
}

/** Describes a recorded part of a live file. A file put there by hand may name a run that never existed. */
export function makeLivePart(
  fold: LedgerFold,
  recorded: Pick<EventOf<'live-recorded'>, 'file' | 'offsetBytes' | 'bytes' | 'lines' | 'createdSeconds'>,
  number: number,
): ResponseFile {
  const attemptEpoch = Math.max(0, fold.epochRuns.lastIndexOf(LIVE_NAME.exec(nameRecorded(recorded.file))?.[1] ?? ''));
  const { file: name, offsetBytes, bytes, lines, createdSeconds } = recorded;
  const run = fold.epochRuns[attemptEpoch] ?? '';
  const place = { number, name, offsetBytes, bytes, lines, createdSeconds };
  return { ...place, batchId: '', lane: 'live', run, attemptEpoch, generation: fold.generation, isExtra: false };
}

/** The batch whose file has this name, or the id in the name itself if we know no such batch. */
export function findBatchOfName(name: string, fold: LedgerFold): { readonly batchId: string; readonly batch: BatchState | null } {
  for (const batch of fold.batches.values()) {
    if (name === makeResponseName(batch.id, 'output') || name === makeResponseName(batch.id, 'error')) return { batchId: batch.id, batch };
  }
  return { batchId: RESPONSE_NAME.exec(name)?.[1] ?? name, batch: null };
}

/** Describes a recorded file. */
export function makeResponseFile(
  fold: LedgerFold,
  recorded: Pick<EventOf<'response-recorded'>, 'file' | 'batchId' | 'bytes' | 'lines' | 'createdSeconds'>,
  number: number,
): ResponseFile {
  const batch = fold.batches.get(recorded.batchId);
  return {
    number,
    name: recorded.file,
    batchId: recorded.batchId,
    lane: 'batch',
    run: batch?.run ?? '',
    attemptEpoch: batch?.attemptEpoch ?? 0,
    generation: batch?.generation ?? fold.generation,
    isExtra: batch?.isExtra ?? false,
    offsetBytes: 0,
    bytes: recorded.bytes,
    lines: recorded.lines,
    createdSeconds: recorded.createdSeconds,
  };
}
