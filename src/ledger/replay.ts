import fs from 'node:fs';
import path from 'node:path';
import { LedgerError, UsageError } from '../core/errors.ts';
import type { StoredEvent } from '../core/event.ts';
import type { DecideLine } from '../core/response-line.ts';
import { refuseNoFile } from './disk/durable-files.ts';
import { type LogEnd, readEvents } from './events/event-log.ts';
import type { LedgerState } from './ledger-state.ts';
import { isSameOrigin } from './origin.ts';
import type { EventOf, ResponseFile } from './response-file.ts';
import { judgeFile } from './responses/judge-file.ts';
import { hasRecordedBytes } from './responses/recorded-bytes.ts';
import type { SettledIndex } from './responses/settled-index.ts';
import { createRemovedAnswers } from './upkeep/removed-answers.ts';

export interface ReplayOptions {
  readonly directory: string;
  readonly origin: string;
  readonly decide: DecideLine;
  /** What was recorded after the start of the next run is skipped. */
  readonly asOfRun?: string;
  readonly hashesResponses?: boolean | undefined;
  readonly signal: AbortSignal;
}

/**
 * Reads everything recorded in the directory into `state`: events in order, and for each recorded response file its records, from
 * `settled.jsonl` as far as that is valid, otherwise from the file itself.
 * @throws UsageError if the directory belongs to another origin; LedgerError if something recorded is damaged or gone
 */
export async function replay(options: ReplayOptions, state: LedgerState, settled: SettledIndex): Promise<LogEnd> {
  const file = path.join(options.directory, 'events.jsonl');
  if (!fs.existsSync(file)) return { seq: 0, bytes: 0 };
  const placeRecorded = createRemovedAnswers(options.directory, options.signal);
  let isOver = false;
  let isChecked = false;
  /** A newer version may have continued the log after this event: nothing is judged again, and so written, before it is known that none has. */
  async function checkFormats(): Promise<void> {
    if (!isChecked) await readEvents(file, () => {}, options.signal);
    isChecked = true;
  }
  return readEvents(
    file,
    async (found) => {
      const { event } = found;
      const isRecord = event.type === 'response-recorded' || event.type === 'live-recorded';
      const placed = isRecord ? { ...found, event: await placeRecorded(event) } : found;
      isOver ||= placed.event.type === 'run-started' && options.asOfRun !== undefined && state.fold.runs.at(-1)?.id === options.asOfRun;
      if (isOver) return;
      if (placed.event.seq === 1) checkFirstEvent(placed.event, file, options.origin);
      state.takeEvent(placed);
      if (placed.event.type === 'response-recorded' || placed.event.type === 'live-recorded') {
        await restoreFile({ ...options, checkFormats, state }, settled, state.files.at(-1) as ResponseFile, placed.event);
      }
    },
    options.signal,
  );
}

function checkFirstEvent(event: StoredEvent, file: string, origin: string): void {
  if (event.type !== 'state-created') throw new LedgerError(`the first event is ${event.type}, not state-created`, { file, line: 1 });
  if (!isSameOrigin(event.origin, origin)) {
    throw new UsageError(
      `the state directory ${path.dirname(file)} holds answers from "${event.origin}", but this command talks to "${origin}"; ` +
        'use another --state-dir, or the base URL it was made with',
      { code: 'foreign_state' },
    );
  }
}

async function restoreFile(
  options: ReplayOptions & { readonly checkFormats: () => Promise<void>; readonly state: LedgerState },
  settled: SettledIndex,
  file: ResponseFile,
  event: EventOf<'response-recorded' | 'live-recorded'>,
): Promise<void> {
  const responsePath = path.join(options.directory, 'responses', file.name);
  checkSize(responsePath, file);
  const { signal, hashesResponses = true } = options;
  // Before its records are applied: the answers in them are then not used.
  if (hashesResponses && !(await hasRecordedBytes(responsePath, file, { sha256: event.sha256, signal }))) options.state.markAltered(file);
  if (settled.restore(file, event.sha256)) return;
  await options.checkFormats();
  const judged = await judgeFile({ path: responsePath, file, decide: options.decide, signal });
  if (judged.sha256 !== event.sha256) {
    throw new LedgerError('its bytes are not those that were recorded; restore the file from a backup', { file: responsePath, line: 0 });
  }
  settled.append(file, judged);
}

/** A live file may contain more than was recorded, any other exactly that. */
function checkSize(responsePath: string, { lane, offsetBytes, bytes: partBytes }: ResponseFile): void {
  const recordedBytes = offsetBytes + partBytes;
  const found = fs.lstatSync(responsePath, { throwIfNoEntry: false });
  if (found !== undefined && !found.isFile()) throw refuseNoFile(responsePath);
  const bytes = found?.size;
  if (bytes === recordedBytes || (lane === 'live' && bytes !== undefined && bytes > recordedBytes)) return;
  const what = bytes === undefined ? 'the file is gone' : `it has ${bytes} bytes`;
  const message = `${what}, but ${recordedBytes} bytes of paid answers were recorded; restore the file from a backup`;
  throw new LedgerError(message, { file: responsePath, line: 0 });
}
