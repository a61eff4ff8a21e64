import type { OutcomeStatus } from '../../core/outcome.ts';
import type { SettledRecord } from '../../core/settled.ts';
import type { Usage } from '../../core/usage.ts';
import type { ResponseFile } from '../response-file.ts';
import type { ShortAnswer } from './short-answer.ts';

/** A record as stored in `settled.jsonl`, one array per line. */
export type SettledLine = readonly [
  customId: string,
  outcome: OutcomeStatus,
  /** 1 for billed, 2 for unreadable, added. */
  flags: 0 | 1 | 2 | 3,
  usage: readonly [input: number, cachedInput: number, cacheWrite: number, output: number, reasoning: number] | null,
  model: string | null,
  tier: string | null,
  createdSeconds: number | null,
  offsetBytes: number,
  lengthBytes: number,
  /** The number of its response file. */
  file: number,
  /** The offset of the previous record in its key's chain in `settled.jsonl`, or -1. */
  previous: number,
  /** Absent if it is not short. */
  answer?: ShortAnswer,
];

const BILLED = 1;
const UNREADABLE = 2;

/**
 * The line of a record up to its length: everything known before its file is announced. A short answer follows, after a tab, which JSON treats as
 * whitespace. ASCII only, so that its length is its bytes.
 */
export function makeRecordText(record: SettledRecord, shortAnswer: string): string {
  const { usage, location } = record;
  const usageJson =
    usage === null
      ? 'null'
      : `[${usage.inputTokens},${usage.cachedInputTokens},${usage.cacheWriteTokens},${usage.outputTokens},${usage.reasoningTokens}]`;
  return (
    `["${record.customId}","${record.outcome}",${(record.isBilled ? BILLED : 0) + (record.isUnreadable ? UNREADABLE : 0)},${usageJson},${asciiJson(record.model)},${asciiJson(record.tier)},` +
    `${record.createdSeconds},${location.offsetBytes},${location.lengthBytes}${shortAnswer === '' ? '' : `,\t${shortAnswer}`}`
  );
}

/** The whole line, newline included. */
export function makeSettledLine(recordText: string, file: ResponseFile, previous: number): string {
  const end = recordText.indexOf('\t');
  if (end < 0) return `${recordText},${file.number},${previous}]\n`;
  return `${recordText.slice(0, end - 1)},${file.number},${previous},${recordText.slice(end + 1)}]\n`;
}

/** Reads record texts, each followed by a newline: up to their length they are lines. */
export function parseRecordTexts(texts: string): readonly SettledLine[] {
  return JSON.parse(`[${texts.slice(0, -1).replaceAll('\n', '],')}]]`) as SettledLine[];
}

/** Reads whole lines, newlines included. */
export function parseSettledLines(lines: string): readonly SettledLine[] {
  return JSON.parse(`[${lines.slice(0, -1).replaceAll('\n', ',')}]`) as SettledLine[];
}

/** The record in a line. */
export function readSettledLine(line: SettledLine, file: ResponseFile): SettledRecord {
  return {
    customId: line[0],
    outcome: line[1],
    isBilled: (line[2] & BILLED) !== 0,
    isUnreadable: (line[2] & UNREADABLE) !== 0,
    usage: readUsageFields(line[3]),
    model: line[4],
    tier: line[5],
    createdSeconds: line[6],
    lane: file.lane,
    run: file.run,
    location: { file: file.name, offsetBytes: line[7], lengthBytes: line[8] },
  };
}

function readUsageFields(fields: SettledLine[3]): Usage | null {
  if (fields === null) return null;
  return {
    inputTokens: fields[0],
    cachedInputTokens: fields[1],
    cacheWriteTokens: fields[2],
    outputTokens: fields[3],
    reasoningTokens: fields[4],
  };
}

const NOT_ASCII = /[^\x20-\x7e]/g;

/** There are few models and tiers: the result for the last texts is cached. */
const ASCII_JSON = new Map<string, string>();
const MOST_KEPT = 64;

function asciiJson(text: string | null): string {
  if (text === null) return 'null';
  const known = ASCII_JSON.get(text);
  if (known !== undefined) return known;
  const json = JSON.stringify(text).replace(NOT_ASCII, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  if (ASCII_JSON.size === MOST_KEPT) ASCII_JSON.clear();
  ASCII_JSON.set(text, json);
  return json;
}
