import { parseCustomId } from '../../core/request.ts';
import { type DecideLine, type ResponseLine, readResponseLine } from '../../core/response-line.ts';
import type { SettledRecord } from '../../core/settled.ts';
import type { ResponseFile } from '../response-file.ts';
import type { Anomaly } from './repeats.ts';
import { makeShortAnswer } from './short-answer.ts';

/** A longer line is counted as malformed without parsing it: nothing we send could have such an answer. A live answer has 32 MB at most. */
export const MAX_LINE_BYTES = 33 * 2 ** 20;

/** The meaning of one line of a response file; `shortAnswer` as returned by `makeShortAnswer`. */
export type JudgedLine =
  | {
      readonly status: 'record';
      readonly key: string;
      readonly lineId: string;
      readonly record: SettledRecord;
      readonly shortAnswer: string;
    }
  | { readonly status: 'anomaly'; readonly anomaly: Extract<Anomaly, 'malformed' | 'foreign'> };

/** The bounds of a line in the bytes read from its file, without newline and blanks around it, and the offset of these bytes in the file. */
export interface LinePlace {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly bytesAt: number;
}

/** Judges one line of `file`. Never throws. */
export function judgeLine({ bytes, start, end, bytesAt }: LinePlace, file: ResponseFile, decide: DecideLine): JudgedLine {
  if (end - start > MAX_LINE_BYTES) return { status: 'anomaly', anomaly: 'malformed' };
  const reading = readResponseLine(bytes.toString('utf8', start, end));
  if (reading.status === 'malformed') return { status: 'anomaly', anomaly: 'malformed' };
  return judgeReadLine(reading.line, { offsetBytes: bytesAt + start, lengthBytes: end - start }, file, decide);
}

/** Judges a parsed line, by its location in `file`. Never throws. */
export function judgeReadLine(
  line: ResponseLine,
  place: { readonly offsetBytes: number; readonly lengthBytes: number },
  file: ResponseFile,
  decide: DecideLine,
): JudgedLine {
  const parts = parseCustomId(line.custom_id);
  if (parts === null) return { status: 'anomaly', anomaly: 'foreign' };
  const outcome = decide(line);
  const record: SettledRecord = {
    customId: line.custom_id,
    outcome: outcome.status,
    isBilled: outcome.isBilled,
    isUnreadable: outcome.isUnreadable,
    usage: outcome.usage,
    model: outcome.model,
    tier: outcome.tier,
    createdSeconds: outcome.createdSeconds ?? file.createdSeconds,
    lane: file.lane,
    run: file.run,
    location: { file: file.name, offsetBytes: place.offsetBytes, lengthBytes: place.lengthBytes },
  };
  return { status: 'record', key: parts.key, lineId: line.id, record, shortAnswer: makeShortAnswer(outcome, line) };
}

/** The bounds of a line without a byte order mark, a carriage return or blanks around it; empty for a blank line. */
export function trimLine(bytes: Buffer, lineStart: number, lineEnd: number, isFileStart: boolean): { start: number; end: number } {
  let start = lineStart;
  let end = lineEnd;
  if (isFileStart && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf) start += 3;
  while (end > start && isBlank(bytes[end - 1])) end -= 1;
  while (start < end && isBlank(bytes[start])) start += 1;
  return { start, end };
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0d || byte === 0x09;
}
