import type { OutcomeStatus } from '../../core/outcome.ts';
import type { SettledRecord } from '../../core/settled.ts';
import type { Usage } from '../../core/usage.ts';
import type { ResponseFile } from '../response-file.ts';
import type { ShortAnswer, TableAnswer } from './short-answer.ts';

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

/** The last two numbers of a line are padded, so that they can be filled in once its file is announced. */
const FILE_CHARACTERS = 10;
const PREVIOUS_CHARACTERS = 16;
const NO_FILE = '0'.padStart(FILE_CHARACTERS);
const NO_PREVIOUS = '-1'.padStart(PREVIOUS_CHARACTERS);
const LINE_END = ']\n';

/** The line of a record, newline included. ASCII only, so that its length is its bytes. */
export function makeSettledLine(record: SettledRecord, shortAnswer: string, file: number, previous: number): string {
  return joinLine(record, shortAnswer, String(file).padStart(FILE_CHARACTERS), String(previous).padStart(PREVIOUS_CHARACTERS));
}

/** The same before its file was announced. */
export function makeEarlyLine(record: SettledRecord, shortAnswer: string): string {
  return joinLine(record, shortAnswer, NO_FILE, NO_PREVIOUS);
}

/** The part that an early line still lacks. */
interface LatePart {
  readonly file: number;
  readonly previous: number;
  /** Of the short answer in the line. */
  readonly answerCharacters: number;
}

/** Completes the early line that ends there, newline included. */
export function completeLine(bytes: Buffer, end: number, { file, previous, answerCharacters }: LatePart): void {
  const previousEnd = end - LINE_END.length - (answerCharacters === 0 ? 0 : answerCharacters + 1);
  const previousStart = previousEnd - PREVIOUS_CHARACTERS;
  if (previous !== -1) bytes.write(String(previous).padStart(PREVIOUS_CHARACTERS), previousStart, 'latin1');
  // One byte at a time: there is one digit, or few, in every line.
  for (let left = file, place = previousStart - 2; left > 0; place -= 1) {
    bytes[place] = DIGIT_ZERO + (left % 10);
    left = Math.floor(left / 10);
  }
}

const DIGIT_ZERO = 48;

function joinLine(record: SettledRecord, shortAnswer: string, file: string, previous: string): string {
  const { usage, location } = record;
  const usageJson =
    usage === null
      ? 'null'
      : `[${usage.inputTokens},${usage.cachedInputTokens},${usage.cacheWriteTokens},${usage.outputTokens},${usage.reasoningTokens}]`;
  return (
    `["${record.customId}","${record.outcome}",${(record.isBilled ? BILLED : 0) + (record.isUnreadable ? UNREADABLE : 0)},${usageJson},${asciiJson(record.model)},${asciiJson(record.tier)},` +
    `${record.createdSeconds},${location.offsetBytes},${location.lengthBytes},${file},${previous}${shortAnswer === '' ? '' : `,${shortAnswer}`}${LINE_END}`
  );
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

/** What a table shows of the record's answer; null if the record does not contain it. */
export function readTableAnswer(line: SettledLine, { lane }: Pick<ResponseFile, 'lane'>): TableAnswer | null {
  const answer = line[11];
  if (answer === undefined) return null;
  const createdSeconds = line[6];
  return {
    outcome: {
      status: line[1],
      message: '',
      isBilled: (line[2] & BILLED) !== 0,
      usage: readUsageFields(line[3]),
      model: line[4],
      tier: line[5],
      createdSeconds,
      value: answer[0],
      isUnmarked: false,
    },
    answerCharacters: 0,
    requestId: answer[1],
    lane,
    createdSeconds,
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
