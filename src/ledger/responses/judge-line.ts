import { parseCustomId } from '../../core/request.ts';
import { type DecideLine, type ResponseLine, readResponseLine } from '../../core/response-line.ts';
import type { SettledRecord } from '../../core/settled.ts';
import type { ResponseFile } from '../response-file.ts';
import type { Anomaly } from './repeats.ts';

/** A longer line is counted as malformed unread: nothing we send could be answered by it. A live answer has 32 MB at most. */
export const MAX_LINE_BYTES = 33 * 2 ** 20;

/** What one line of a response file means. */
export type JudgedLine =
  | { readonly status: 'record'; readonly key: string; readonly lineId: string; readonly record: SettledRecord }
  | { readonly status: 'anomaly'; readonly anomaly: Extract<Anomaly, 'malformed' | 'foreign'> };

/** Judges the line at an offset of `file`, given its bytes without newline and blanks around it. Never throws. */
export function judgeLine(bytes: Buffer, offsetBytes: number, file: ResponseFile, decide: DecideLine): JudgedLine {
  if (bytes.length > MAX_LINE_BYTES) return { status: 'anomaly', anomaly: 'malformed' };
  const reading = readResponseLine(bytes.toString('utf8'));
  if (reading.status === 'malformed') return { status: 'anomaly', anomaly: 'malformed' };
  return judgeReadLine(reading.line, { offsetBytes, lengthBytes: bytes.length }, file, decide);
}

/** Judges a line that is read already, by its place in `file`. Never throws. */
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
    location: { file: file.name, ...place },
  };
  return { status: 'record', key: parts.key, lineId: line.id, record };
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
