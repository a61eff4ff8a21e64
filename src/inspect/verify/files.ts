import { join } from 'node:path';
import { DiskError } from '../../core/disk/disk-error.ts';
import { hashFile } from '../../core/disk/hash-file.ts';
import { AppError } from '../../core/errors.ts';
import type { StoredEvent } from '../../core/event.ts';
import { NewerFormatError } from '../../core/formats.ts';
import { formatThings } from '../../core/wording/format-count.ts';
import { listNames } from '../../ledger/disk/durable-files.ts';
import { readEvents } from '../../ledger/events/event-log.ts';
import { isResponseName } from '../../ledger/response-file.ts';
import { createRemovedAnswers } from '../../ledger/upkeep/removed-answers.ts';

/** One thing that was checked. */
export interface Check {
  readonly name: string;
  /** `skipped`: there was nothing to compare with; `detail` says why. */
  readonly status: 'ok' | 'failed' | 'skipped';
  readonly detail: string;
}

export function decideCheck(name: string, isOk: boolean, detail: string): Check {
  return { name, status: isOk ? 'ok' : 'failed', detail };
}

type CheckedEvent = Extract<StoredEvent, { readonly type: 'response-recorded' | 'batch-collected' | 'batch-imported' }>;

/** What the event log says about files and batches, and whether the files match. */
export interface FileChecks {
  readonly checks: readonly Check[];
  readonly events: readonly CheckedEvent[];
  /** Live calls that were ever announced. */
  readonly announcedCalls: number;
}

/** Reads the event log with its checksums and hashes every recorded response file. */
export async function checkFiles(stateDirectory: string, signal: AbortSignal): Promise<FileChecks> {
  const events: CheckedEvent[] = [];
  let seq = 0;
  let announcedCalls = 0;
  try {
    const end = await readEvents(
      join(stateDirectory, 'events.jsonl'),
      ({ event }) => {
        if (event.type === 'response-recorded' || event.type === 'batch-collected' || event.type === 'batch-imported') events.push(event);
        if (event.type === 'call-intent' || event.type === 'call-queued') announcedCalls += event.calls.length;
      },
      signal,
    );
    seq = end.seq;
  } catch (error) {
    if (!(error instanceof AppError) || error instanceof NewerFormatError) throw error;
    return { checks: [decideCheck('events', false, error.message)], events, announcedCalls };
  }
  const checks = [decideCheck('events', true, `${formatThings(seq, 'event')}, each with its number and checksum`)];
  return { checks: [...checks, await checkResponses(stateDirectory, events, signal)], events, announcedCalls };
}

async function checkResponses(stateDirectory: string, events: readonly CheckedEvent[], signal: AbortSignal): Promise<Check> {
  const directory = join(stateDirectory, 'responses');
  const placeRecorded = createRemovedAnswers(stateDirectory, signal);
  const recorded = await Promise.all(events.filter((event) => event.type === 'response-recorded').map(placeRecorded));
  const faults: string[] = [];
  for (const { file, sha256 } of recorded) {
    const found = await hashFile(join(directory, file), signal).catch((error: unknown) => {
      if (error instanceof DiskError) return error;
      throw error;
    });
    if (found instanceof DiskError) faults.push(found.what);
    else if (found === null) faults.push(`${file} is gone`);
    else if (found !== sha256) faults.push(`${file} is not the file that was recorded`);
  }
  const known = new Set(recorded.map(({ file }) => file));
  const unrecorded = listNames(directory).filter((name) => isResponseName(name) && !known.has(name)).length;
  const detail = `${formatThings(recorded.length, 'file')}, each with the bytes that were recorded`;
  const beside = unrecorded === 0 ? '' : `; ${unrecorded} more are to be recorded by the next run`;
  return decideCheck('responses', faults.length === 0, faults.length === 0 ? detail + beside : faults.join('; '));
}
