import fs from 'node:fs';
import path from 'node:path';
import type { RemovedPart, StoredEvent } from '../../core/event.ts';
import { readEvents } from '../events/event-log.ts';
import { type EventOf, makeBilledName } from '../response-file.ts';

/** The event that records a response file, or a part of a live one, with its current bytes on disk. */
export type PlaceRecorded = <Recorded extends EventOf<'response-recorded' | 'live-recorded'> & Pick<StoredEvent, 'seq' | 'at' | 'synced'>>(
  event: Recorded,
) => Promise<Recorded>;

/**
 * Finds what is kept of files whose answers were removed. The removal is announced before the files are deleted, and counts once they are gone: until
 * then they are as recorded. The log is read ahead only if a file is missing.
 */
export function createRemovedAnswers(stateDirectory: string, signal: AbortSignal): PlaceRecorded {
  const responses = path.join(stateDirectory, 'responses');
  const isGone = new Map<string, boolean>();
  let removed: Promise<ReadonlyMap<string, RemovedPart>> | null = null;

  function findGone(file: string): boolean {
    const known = isGone.get(file);
    if (known !== undefined) return known;
    const found = !exists(path.join(responses, file)) && exists(path.join(responses, makeBilledName(file)));
    isGone.set(file, found);
    return found;
  }

  return async (event) => {
    if (!findGone(event.file)) return event;
    removed ??= readRemoved(path.join(stateDirectory, 'events.jsonl'), signal);
    const part = (await removed).get(nameOf(event.file, event.type === 'live-recorded' ? event.offsetBytes : 0));
    return part === undefined ? event : { ...event, ...part.kept };
  };
}

/** The latest removal of each part. */
async function readRemoved(eventsFile: string, signal: AbortSignal): Promise<ReadonlyMap<string, RemovedPart>> {
  const removed = new Map<string, RemovedPart>();
  await readEvents(
    eventsFile,
    ({ event }) => {
      if (event.type !== 'answers-removed') return;
      for (const part of event.parts) removed.set(nameOf(part.file, part.offsetBytes), part);
    },
    signal,
  );
  return removed;
}

function nameOf(file: string, offsetBytes: number): string {
  return `${offsetBytes} ${file}`;
}

function exists(file: string): boolean {
  return fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}
