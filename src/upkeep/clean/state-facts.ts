import { join } from 'node:path';
import type { StoredEvent } from '../../core/event.ts';
import { readEvents } from '../../ledger/events/event-log.ts';
import type { LedgerFold } from '../../ledger/events/fold.ts';
import { createFold } from '../../ledger/events/fold-events.ts';
import type { RecordedPart } from '../../ledger/upkeep/strip-files.ts';

/** What the events of a state directory say about files, here and at the provider. */
export interface StateFacts {
  /** Input files at the provider, by shard: one for each upload. */
  readonly inputs: ReadonlyMap<string, readonly string[]>;
  /** Output and error files at the provider that were downloaded completely, by batch. */
  readonly answers: ReadonlyMap<string, readonly string[]>;
  /** Those of both that no longer exist. */
  readonly removed: ReadonlySet<string>;
  /** Recorded response files and parts of live ones, in the order of recording. */
  readonly parts: readonly RecordedPart[];
  /** Names of files whose answers were announced as removed. */
  readonly announced: ReadonlySet<string>;
}

/** Facts that grow with each event. */
export function createStateFacts(): { readonly facts: StateFacts; readonly take: (event: StoredEvent) => void } {
  const inputs = new Map<string, string[]>();
  const answers = new Map<string, string[]>();
  const removed = new Set<string>();
  const parts: RecordedPart[] = [];
  const announced = new Set<string>();
  const add = (files: Map<string, string[]>, owner: string, fileIds: readonly string[]) => {
    files.set(owner, [...(files.get(owner) ?? []), ...fileIds]);
    // A server that reuses an id has a file of it again.
    for (const fileId of fileIds) removed.delete(fileId);
  };

  function take(event: StoredEvent): void {
    switch (event.type) {
      case 'upload-done':
        add(inputs, event.shard, [event.fileId]);
        return;
      case 'batch-collected':
        add(answers, event.batchId, event.fileIds ?? []);
        return;
      case 'files-removed':
        for (const fileId of event.fileIds) removed.add(fileId);
        return;
      case 'response-recorded':
        parts.push({ file: event.file, offsetBytes: 0, bytes: event.bytes, lines: event.lines });
        return;
      case 'live-recorded':
        parts.push({ file: event.file, offsetBytes: event.offsetBytes, bytes: event.bytes, lines: event.lines });
        return;
      case 'answers-removed':
        for (const { file } of event.parts) announced.add(file);
        return;
      default:
        return;
    }
  }
  return { facts: { inputs, answers, removed, parts, announced }, take };
}

/** Reads them without the lock. */
export async function readStateFacts(
  directory: string,
  signal: AbortSignal,
): Promise<{ readonly facts: StateFacts; readonly fold: LedgerFold }> {
  const { facts, take } = createStateFacts();
  const { fold, apply } = createFold();
  await readEvents(
    join(directory, 'events.jsonl'),
    ({ event }) => {
      apply(event);
      take(event);
    },
    signal,
  );
  return { facts, fold };
}
