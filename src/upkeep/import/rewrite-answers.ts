import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { type DecideLine, readResponseLine } from '../../core/response-line.ts';
import type { CostOf } from '../../core/settled.ts';
import { forEachLine, readLineChunks } from '../../ledger/disk/read-lines.ts';
import { stripLine } from '../../ledger/upkeep/strip-line.ts';
import type { RowIndex } from './index-rows.ts';
import type { ForeignRequests } from './read-requests.ts';

/** What a file of answers held. Integer nano-dollars. */
export interface Imported {
  readonly lines: number;
  /** Of them, answers to what rows of the table ask. */
  readonly matched: number;
  /** Answers to what no row asks: they are counted with what they cost, and what they say is not kept. */
  readonly foreign: number;
  readonly malformed: number;
  readonly nanoUsd: number;
  readonly foreignNanoUsd: number;
  /** Billed lines without a known price or usage. */
  readonly unpriced: number;
  /** Of the file as it came. */
  readonly sha256: string;
}

export interface RewriteOptions {
  /** Where the answers lie, and where they are to be written. */
  readonly from: string;
  readonly to: string;
  readonly asked: ForeignRequests;
  readonly rows: RowIndex;
  /** How often each content was answered so far, over the files of the batch. */
  readonly taken: Map<string, number>;
  readonly decide: DecideLine;
  readonly costOf: CostOf;
  /** Unix seconds, for answers that tell no time. */
  readonly createdSeconds: number;
  readonly signal: AbortSignal;
}

/** Writes a file of answers anew, under the wire ids our rows would have asked with. All else of a line stays as it came. */
export async function rewriteAnswers(options: RewriteOptions): Promise<Imported> {
  const { from, to, asked, rows, taken, signal } = options;
  const digest = createHash('sha256');
  const sums = { lines: 0, matched: 0, foreign: 0, malformed: 0, nanoUsd: 0, foreignNanoUsd: 0, unpriced: 0 };
  const stream = createWriteStream(to, { mode: 0o600 });

  function rewrite(text: string): string {
    sums.lines += 1;
    const reading = readResponseLine(text);
    if (reading.status === 'malformed') {
      sums.malformed += 1;
      return '{}';
    }
    const outcome = options.decide(reading.line);
    const cost = options.costOf({ ...outcome, createdSeconds: outcome.createdSeconds ?? options.createdSeconds, lane: 'batch' });
    if (cost === null) sums.unpriced += 1;
    const customId = findCustomId(reading.line.custom_id);
    if (customId === null) {
      sums.foreign += 1;
      sums.foreignNanoUsd += cost ?? 0;
      return stripLine(text, 'foreign');
    }
    sums.matched += 1;
    sums.nanoUsd += cost ?? 0;
    return JSON.stringify({ ...(JSON.parse(text) as object), custom_id: customId });
  }

  function findCustomId(foreignId: string): string | null {
    const content = asked.contents.get(foreignId) ?? null;
    const customIds = content === null ? undefined : rows.customIds.get(content);
    if (content === null || customIds === undefined) return null;
    const nth = taken.get(content) ?? 0;
    taken.set(content, nth + 1);
    // More answers than rows: several calls of the last one.
    return customIds[Math.min(nth, customIds.length - 1)] ?? null;
  }

  for await (const { bytes } of readLineChunks(from, { signal })) {
    digest.update(bytes);
    const written: string[] = [];
    forEachLine(bytes, (start, end) => {
      const text = bytes.toString('utf8', start, end).trim();
      if (text !== '') written.push(`${rewrite(text)}\n`);
    });
    if (!stream.write(written.join(''))) await once(stream, 'drain');
  }
  stream.end();
  await finished(stream);
  return { ...sums, sha256: digest.digest('hex') };
}
