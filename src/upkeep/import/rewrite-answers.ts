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

/** The content of a file of answers. Integer nano-dollars. */
export interface Imported {
  readonly lines: number;
  /** Of them, new answers to requests of the table. */
  readonly matched: number;
  /** Of the matched, those without a usable answer: refusals of the provider, and answers that fail the job's checks. */
  readonly failed: number;
  /** Lines that were imported before, in whatever file. */
  readonly known: number;
  /** Answers that no row matches: they are counted with their cost, and their text is not kept. */
  readonly foreign: number;
  readonly malformed: number;
  readonly nanoUsd: number;
  readonly foreignNanoUsd: number;
  /** Of the matched, billed lines without a known price or usage. */
  readonly unpriced: number;
  /** Of the original file. */
  readonly sha256: string;
}

export interface RewriteOptions {
  /** Where the answers are, and where they are to be written. */
  readonly from: string;
  readonly to: string;
  readonly asked: ForeignRequests;
  readonly rows: RowIndex;
  /** How often each content was answered so far, over the files of the batch. */
  readonly taken: Map<string, number>;
  /** Ids of the lines written so far, each with its wire id, over the files of the batch. */
  readonly written: Set<string>;
  readonly decide: DecideLine;
  /** Ids of the lines recorded for a wire id. */
  readonly readLineIds: (customId: string) => readonly string[];
  readonly costOf: CostOf;
  /** Unix seconds, for answers without a time. */
  readonly createdSeconds: number;
  readonly signal: AbortSignal;
}

/**
 * Writes a file of answers again, under the wire ids of our rows. Everything else in a line stays unchanged. A line is identified by its id,
 * and skipped when it is repeated: the bytes of a download may differ by newlines, or by where it was cut.
 */
export async function rewriteAnswers(options: RewriteOptions): Promise<Imported> {
  const { from, to, asked, rows, taken, written, signal } = options;
  const digest = createHash('sha256');
  const sums = { lines: 0, matched: 0, failed: 0, known: 0, foreign: 0, malformed: 0, nanoUsd: 0, foreignNanoUsd: 0, unpriced: 0 };
  const stream = createWriteStream(to, { mode: 0o600 });

  /** Null for a line that was imported before. */
  function rewrite(text: string): string | null {
    sums.lines += 1;
    const reading = readResponseLine(text);
    if (reading.status === 'malformed' || isRequest(text)) {
      sums.malformed += 1;
      return '{}';
    }
    const outcome = options.decide(reading.line);
    const cost = options.costOf({ ...outcome, createdSeconds: outcome.createdSeconds ?? options.createdSeconds, lane: 'batch' });
    const customId = findCustomId(reading.line.custom_id);
    if (customId === null) {
      sums.foreign += 1;
      sums.foreignNanoUsd += cost ?? 0;
      return stripLine(text, 'foreign');
    }
    const name = `${customId}\n${reading.line.id}`;
    if (reading.line.id !== '' && (written.has(name) || options.readLineIds(customId).includes(reading.line.id))) {
      sums.known += 1;
      return null;
    }
    written.add(name);
    sums.matched += 1;
    sums.failed += outcome.status === 'ok' ? 0 : 1;
    sums.nanoUsd += cost ?? 0;
    sums.unpriced += cost === null ? 1 : 0;
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
    const lines: string[] = [];
    forEachLine(bytes, (start, end) => {
      const text = bytes.toString('utf8', start, end).trim();
      const line = text === '' ? null : rewrite(text);
      if (line !== null) lines.push(`${line}\n`);
    });
    if (!stream.write(lines.join(''))) await once(stream, 'drain');
  }
  stream.end();
  await finished(stream);
  return { ...sums, sha256: digest.digest('hex') };
}

/** A line of an input file: it has a body too. */
function isRequest(text: string): boolean {
  const { response, error, url } = JSON.parse(text) as Record<string, unknown>;
  return response === undefined && error === undefined && typeof url === 'string';
}
