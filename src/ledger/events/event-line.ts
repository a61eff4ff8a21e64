import { crc32 } from 'node:zlib';
import type { Event, StoredEvent } from '../../core/event.ts';

/** Every event type this version knows; any other was written by a newer version. */
const EVENT_TYPES: ReadonlySet<string> = new Set(
  Object.keys({
    'state-created': 0,
    'state-adopted': 0,
    'format-raised': 0,
    'run-started': 0,
    'deadline-set': 0,
    'lane-switched': 0,
    'run-ended': 0,
    'generation-started': 0,
    'retry-opened': 0,
    'shard-written': 0,
    'shard-retired': 0,
    'limit-learned': 0,
    'cache-option-learned': 0,
    'request-limit-learned': 0,
    'address-learned': 0,
    'upload-intent': 0,
    'upload-done': 0,
    'create-intent': 0,
    'create-done': 0,
    'create-refused': 0,
    'create-unknown': 0,
    'create-absent': 0,
    'batch-status': 0,
    'batch-extra': 0,
    'batch-returned': 0,
    'cancel-intent': 0,
    'cancel-done': 0,
    'response-recorded': 0,
    'batch-collected': 0,
    'call-intent': 0,
    'call-queued': 0,
    'call-refused': 0,
    'call-unknown': 0,
    'live-recorded': 0,
    'batch-imported': 0,
    'files-removed': 0,
    'answers-removed': 0,
  } satisfies Record<Event['type'], 0>),
);

const CRC_SUFFIX_BYTES = ',"crc":"00000000"}'.length;
const CRC_SUFFIX = /^,"crc":"([0-9a-f]{8})"\}$/;

/** The line of an event, newline included: its JSON with the crc32 of that JSON as the last field. */
export function makeEventLine(event: StoredEvent): string {
  const { seq, at, type, ...rest } = event;
  const json = JSON.stringify({ seq, at, type, ...rest });
  return `${json.slice(0, -1)},"crc":"${formatCrc(crc32(json))}"}\n`;
}

export type EventReading =
  | { readonly status: 'event'; readonly event: StoredEvent }
  /** `isNewer`: nothing is damaged, this version does not know the event. */
  | { readonly status: 'damaged'; readonly message: string; readonly isNewer?: true };

/** Reads one line of the event log, newline excluded. */
export function readEventLine(line: Buffer): EventReading {
  const jsonEnd = line.length - CRC_SUFFIX_BYTES;
  const suffix = jsonEnd > 0 ? CRC_SUFFIX.exec(line.toString('latin1', jsonEnd)) : null;
  if (suffix === null) return { status: 'damaged', message: 'the line has no checksum' };
  const crc = crc32('}', crc32(line.subarray(0, jsonEnd)));
  if (formatCrc(crc) !== suffix[1]) return { status: 'damaged', message: 'the line does not match its checksum' };
  let value: StoredEvent;
  try {
    value = JSON.parse(`${line.toString('utf8', 0, jsonEnd)}}`) as StoredEvent;
  } catch {
    return { status: 'damaged', message: 'the line is not JSON' };
  }
  if (!EVENT_TYPES.has(value.type)) {
    const message = `the event "${value.type}" is unknown: a newer version of rowmill wrote it; use that version`;
    return { status: 'damaged', message, isNewer: true };
  }
  return { status: 'event', event: value };
}

function formatCrc(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}
