import fs from 'node:fs';
import { LedgerError } from '../../core/errors.ts';
import { parseCustomId } from '../../core/request.ts';
import { openForReading, readBytesAt } from '../disk/durable-files.ts';
import { forEachLine, readLineChunks } from '../disk/read-lines.ts';
import { countsForIndex } from '../index-rules.ts';
import type { LedgerState } from '../ledger-state.ts';
import type { SettledLine } from './settled-line.ts';

/** The records of `settled.jsonl` by earlier rules, kept while the answers are judged again. */
export interface EarlierVerdicts {
  /** Ids of requests that had an ok answer and, according to `state`, no longer have one. */
  findLost(state: LedgerState): Promise<ReadonlySet<number>>;
  /** Deletes these records. */
  forget(): void;
}

export interface EarlierVerdictsOptions {
  readonly file: string;
  /** Where the file is kept while another one is written in its place; null leaves it where it is. */
  readonly asidePath: string | null;
  readonly rulesHash: string;
  /** Called before anything is moved: a newer version may have continued the state. @throws if it did */
  readonly checkFormats: () => Promise<void>;
  readonly signal: AbortSignal;
}

const HEADER_BYTES = 4096;

/** @returns null if the file was made by the current rules, or cannot be read: it is derived, and nothing is lost with it */
export async function keepEarlierVerdicts({
  file,
  asidePath,
  rulesHash,
  checkFormats,
  signal,
}: EarlierVerdictsOptions): Promise<EarlierVerdicts | null> {
  const rules = readRules(file);
  if (rules === null || rules === rulesHash) return null;
  if (asidePath !== null) {
    await checkFormats();
    fs.renameSync(file, asidePath);
  }
  const kept = asidePath ?? file;
  return {
    async findLost(state) {
      const lost = new Set<number>();
      try {
        for await (const { bytes } of readLineChunks(kept, { signal })) {
          forEachLine(bytes, (start, end) => {
            const id = findOk(bytes.toString('latin1', start, end), state);
            if (id !== -1 && state.keys.outcome(id) !== 'ok') lost.add(id);
          });
        }
      } catch (error) {
        // The rest cannot be read: it is derived, and nothing is lost with it.
        if (!(error instanceof LedgerError)) throw error;
      }
      return lost;
    },
    forget() {
      if (asidePath !== null) fs.rmSync(asidePath, { force: true });
    },
  };
}

/** The hash of the rules of a `settled.jsonl`; null if it cannot be read. */
export function readRules(file: string): string | null {
  try {
    const descriptor = openForReading(file);
    try {
      const [line = ''] = readBytesAt(descriptor, { offsetBytes: 0, lengthBytes: HEADER_BYTES }).toString('latin1').split('\n', 1);
      return (JSON.parse(line) as { rules?: string }).rules ?? null;
    } finally {
      fs.closeSync(descriptor);
    }
  } catch {
    return null;
  }
}

/** The id of a line's request if the line says that its answer is ok, and counts; else -1. Lines start with `[`, headers do not. */
function findOk(text: string, { keys, files, fold }: LedgerState): number {
  if (!text.startsWith('[')) return -1;
  try {
    const line = JSON.parse(text) as SettledLine;
    const parts = parseCustomId(line[0]);
    const file = files[line[9] - 1];
    const counts = line[1] === 'ok' && parts !== null && file !== undefined && countsForIndex(file, fold);
    return counts ? keys.find(parts.key) : -1;
  } catch {
    // A line that was not written completely.
    return -1;
  }
}
