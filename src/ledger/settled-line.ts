import type { OutcomeStatus } from '../core/outcome.ts';
import type { SettledRecord } from '../core/settled.ts';
import type { Usage } from '../core/usage.ts';
import type { ResponseFile } from './response-file.ts';

/** A record as it lies in `settled.jsonl`, one array a line; `previous` is the offset of the key's record before it in the same run, or -1. */
export type SettledLine = readonly [
  customId: string,
  outcome: OutcomeStatus,
  isBilled: 0 | 1,
  usage: readonly [input: number, cachedInput: number, cacheWrite: number, output: number, reasoning: number] | null,
  model: string | null,
  tier: string | null,
  createdSeconds: number | null,
  file: number,
  offsetBytes: number,
  lengthBytes: number,
  previous: number,
];

/** The line of a record, newline included; ASCII only, so that its length is its bytes. */
export function makeSettledLine(record: SettledRecord, file: ResponseFile, previous: number): string {
  const { usage, location } = record;
  const usageJson =
    usage === null
      ? 'null'
      : `[${usage.inputTokens},${usage.cachedInputTokens},${usage.cacheWriteTokens},${usage.outputTokens},${usage.reasoningTokens}]`;
  return (
    `["${record.customId}","${record.outcome}",${record.isBilled ? 1 : 0},${usageJson},${asciiJson(record.model)},${asciiJson(record.tier)},` +
    `${record.createdSeconds},${file.number},${location.offsetBytes},${location.lengthBytes},${previous}]\n`
  );
}

/** Reads a line back. */
export function readSettledLine(line: SettledLine, file: ResponseFile): SettledRecord {
  return {
    customId: line[0],
    outcome: line[1],
    isBilled: line[2] === 1,
    usage: readUsageFields(line[3]),
    model: line[4],
    tier: line[5],
    createdSeconds: line[6],
    lane: file.lane,
    run: file.run,
    location: { file: file.name, offsetBytes: line[8], lengthBytes: line[9] },
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

function asciiJson(text: string | null): string {
  if (text === null) return 'null';
  return JSON.stringify(text).replace(NOT_ASCII, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
