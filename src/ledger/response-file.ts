import { hash } from 'node:crypto';
import type { Event } from '../core/event.ts';
import type { Lane } from '../core/settled.ts';
import type { BatchState, LedgerFold } from './fold.ts';

/** A file below `responses/` that an event has recorded. */
export interface ResponseFile {
  /** Counts from 1 in the order of recording, which decides whose answer wins. */
  readonly number: number;
  /** The name below `responses/`. */
  readonly name: string;
  readonly batchId: string;
  readonly lane: Lane;
  /** The run, epoch and generation its batch was created in; no run and epoch 0 for a file that no batch of ours explains. */
  readonly run: string;
  readonly epoch: number;
  readonly generation: number;
  /** From a batch nobody waits for: money only. */
  readonly isExtra: boolean;
  readonly bytes: number;
  readonly lines: number;
  /** Unix seconds: the batch's `created_at`. */
  readonly createdSeconds: number;
}

/** The event of one type. */
export type EventOf<Type extends Event['type']> = Extract<Event, { readonly type: Type }>;

export type ResponseKind = 'output' | 'error';

const SAFE_NAME = /^[A-Za-z0-9_:-][A-Za-z0-9_.:-]{0,127}$/;
const RESPONSE_NAME = /^([A-Za-z0-9_:-][A-Za-z0-9_.:-]{0,127})\.(?:output|error)\.jsonl$/;

/** The name of a batch's file. Ids come from a server, so one that is no plain name is replaced by its hash. */
export function makeResponseName(batchId: string, kind: ResponseKind): string {
  const stem = SAFE_NAME.test(batchId) ? batchId : `hashed-${hash('sha256', batchId, 'hex').slice(0, 32)}`;
  return `${stem}.${kind}.jsonl`;
}

/** Whether this is the name of a batch's file: no path, no hidden file, not one of the live lane's. */
export function isResponseName(name: string): boolean {
  return RESPONSE_NAME.test(name);
}

/** The batch whose file has this name, or the id the name itself tells when we know no such batch. */
export function findBatchOfName(name: string, fold: LedgerFold): { readonly batchId: string; readonly batch: BatchState | null } {
  for (const batch of fold.batches.values()) {
    if (name === makeResponseName(batch.id, 'output') || name === makeResponseName(batch.id, 'error')) return { batchId: batch.id, batch };
  }
  return { batchId: RESPONSE_NAME.exec(name)?.[1] ?? name, batch: null };
}

/** Describes a file as it is recorded. */
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
    lane: isResponseName(recorded.file) ? 'batch' : 'live',
    run: batch?.run ?? '',
    epoch: batch?.epoch ?? 0,
    generation: batch?.generation ?? fold.generation,
    isExtra: batch?.isExtra ?? false,
    bytes: recorded.bytes,
    lines: recorded.lines,
    createdSeconds: recorded.createdSeconds,
  };
}
