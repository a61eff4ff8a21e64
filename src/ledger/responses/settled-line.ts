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
const NO_ANSWER_END = `${NO_FILE},${NO_PREVIOUS}${LINE_END}`;

/** The line of a record, newline included. ASCII only, so that its length is its bytes. */
export function makeSettledLine(record: SettledRecord, shortAnswer: string, file: number, previous: number): string {
  const bytes = Buffer.allocUnsafe(boundSettledLine(record, shortAnswer));
  const end = writeEarlyLine(bytes, 0, record, shortAnswer);
  completeLine(bytes, end, { file, previous, answerCharacters: shortAnswer.length });
  return bytes.toString('latin1', 0, end);
}

/** No line of the record is longer. */
export function boundSettledLine(record: SettledRecord, shortAnswer: string): number {
  const { beforeUsage, afterUsage } = shareTexts(record);
  return record.customId.length + beforeUsage.length + afterUsage.length + shortAnswer.length + MOST_OTHER_CHARACTERS;
}

/** Eight numbers and the punctuation around them. */
const MOST_OTHER_CHARACTERS = 8 * 25 + FILE_CHARACTERS + PREVIOUS_CHARACTERS + 16;

/** Writes the line of a record whose file is not announced yet: number by number, which takes a third of the time of a string of all. @returns its end */
export function writeEarlyLine(bytes: Buffer, start: number, record: SettledRecord, shortAnswer: string): number {
  const { usage, location } = record;
  const { beforeUsage, afterUsage } = shareTexts(record);
  let end = writeText(bytes, start, `["${record.customId}${beforeUsage}`);
  if (usage === null) end = writeText(bytes, end, 'null');
  else {
    bytes[end] = OPEN_LIST;
    end = writeNumber(bytes, end + 1, usage.inputTokens, COMMA);
    end = writeNumber(bytes, end, usage.cachedInputTokens, COMMA);
    end = writeNumber(bytes, end, usage.cacheWriteTokens, COMMA);
    end = writeNumber(bytes, end, usage.outputTokens, COMMA);
    end = writeNumber(bytes, end, usage.reasoningTokens, CLOSE_LIST);
  }
  end = writeText(bytes, end, afterUsage);
  end = writeNumber(bytes, end, record.createdSeconds, COMMA);
  end = writeNumber(bytes, end, location.offsetBytes, COMMA);
  end = writeNumber(bytes, end, location.lengthBytes, COMMA);
  return writeText(bytes, end, shortAnswer === '' ? NO_ANSWER_END : `${NO_FILE},${NO_PREVIOUS},${shortAnswer}${LINE_END}`);
}

function writeText(bytes: Buffer, start: number, text: string): number {
  return start + bytes.write(text, start, 'latin1');
}

function writeNumber(bytes: Buffer, start: number, value: number | null, next: number): number {
  let end: number;
  if (value === null || !(value >= 0 && value < MOST_WRITTEN && Number.isInteger(value))) end = writeText(bytes, start, String(value));
  else {
    end = start + 1;
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) end += 1;
    writeDigits(bytes, end, value);
  }
  bytes[end] = next;
  return end + 1;
}

/** Writes the digits of a whole number so that they end there. */
function writeDigits(bytes: Buffer, end: number, value: number): void {
  let rest = value;
  let place = end - 1;
  do {
    bytes[place] = DIGIT_ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
    place -= 1;
  } while (rest > 0);
}

const [COMMA, DIGIT_ZERO, OPEN_LIST, CLOSE_LIST] = [44, 48, 91, 93];
/** A larger number is written by `String`, and so are fractions. */
const MOST_WRITTEN = 2 ** 53;

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
  writeDigits(bytes, previousStart - 1, file);
}

/** What is around the usage in a line. */
type SharedTexts = Pick<SettledRecord, 'outcome' | 'isBilled' | 'isUnreadable' | 'model' | 'tier'> & {
  readonly beforeUsage: string;
  readonly afterUsage: string;
};

let shared: SharedTexts | null = null;

/** Most records share them with the one before. */
function shareTexts({ outcome, isBilled, isUnreadable, model, tier }: SettledRecord): SharedTexts {
  if (
    shared === null ||
    shared.outcome !== outcome ||
    shared.isBilled !== isBilled ||
    shared.isUnreadable !== isUnreadable ||
    shared.model !== model ||
    shared.tier !== tier
  ) {
    const beforeUsage = `","${outcome}",${(isBilled ? BILLED : 0) + (isUnreadable ? UNREADABLE : 0)},`;
    shared = { outcome, isBilled, isUnreadable, model, tier, beforeUsage, afterUsage: `,${asciiJson(model)},${asciiJson(tier)},` };
  }
  return shared;
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
