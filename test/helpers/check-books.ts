import { createHash } from 'node:crypto';
import {
  type BillLine,
  compareCalls,
  compareLines,
  isAnswer as isAnswered,
  priceBill,
  priceLine,
  type StoredLine,
  type WireEvent,
} from '../../src/prove/check/calls.ts';
import type { CheckOptions } from './check-run.ts';
import type { Cells, RunEvidence } from './run-evidence.ts';

/** A batch as the events tell it. */
interface BatchStory {
  readonly run: string;
  readonly generation: number;
  readonly isExtra: boolean;
  readonly isCollected: boolean;
}

/** G2, G3 and G6: nothing paid unnoticed, one answer per row, books that balance. */
export function* findBookViolations(evidence: RunEvidence, options: CheckOptions): Generator<string> {
  const batches = tellBatches(evidence.events);
  const { lines } = evidence;
  yield* findPaymentViolations(evidence, options, batches, lines);
  yield* findAnswerViolations(evidence, options, batches, lines);
  yield* findSumViolations(evidence, options, batches, lines);
}

/** G2: the bill and the recorded answers, call by call. */
function* findPaymentViolations(
  { bill, events }: RunEvidence,
  options: CheckOptions,
  batches: ReadonlyMap<string, BatchStory>,
  lines: readonly StoredLine[],
): Generator<string> {
  const billed = new Set(bill.map(({ batchId }) => String(batchId)));
  for (const batchId of billed) if (!batches.has(batchId)) yield `G2: ${batchId} was billed and stands nowhere in the events`;
  for (const call of compareCalls(bill, lines).unbilled) yield `G2: ${call}`;
  const { lacking } = compareCalls(findCollected(bill, batches), lines);
  const destroyed = options.destroyedLines ?? 0;
  if (lacking !== destroyed) yield `G2: ${lacking} billed calls are not in the responses, ${destroyed} were destroyed by the provider`;

  const intents = new Set<string>();
  for (const { type, shard, attempt } of events) {
    if (type === 'create-intent') intents.add(`${shard}/${attempt}`);
    if (type === 'create-done' && !intents.has(`${shard}/${attempt}`)) yield `G2: shard ${shard} was created without an intent`;
  }
  const bound = events.filter(({ type }) => type === 'create-done').map(({ batchId }) => batchId);
  if (new Set(bound).size !== bound.length) yield 'G2: one batch is bound to two creates';
  for (const [batchId, story] of batches) {
    if (story.isExtra && !story.isCollected && options.summary !== null) {
      const { possiblyBilledNanoUsd } = (options.summary as { cost: { possiblyBilledNanoUsd: number } }).cost;
      if (possiblyBilledNanoUsd === 0) yield `G2: the extra batch ${batchId} is neither collected nor counted as possibly billed`;
    }
  }
}

/** What a body asks, without what stands before its model and steers where it is answered and what is kept of it. */
function readContent(body: string): string {
  if (!/^\{"(service_tier|prompt_cache_options)":/.test(body)) return body;
  const { service_tier: _tier, prompt_cache_options: _options, prompt_cache_key: _key, ...content } = JSON.parse(body);
  return JSON.stringify(content, (_name, value) =>
    Array.isArray(value) && value.some((part) => part?.prompt_cache_breakpoint) ? value.map(({ text }) => text).join('') : value,
  );
}

/** G3: each row says what the winning line for its own content says. */
function* findAnswerViolations(
  { table, rowKeys, sent, events, input }: RunEvidence,
  options: CheckOptions,
  batches: ReadonlyMap<string, BatchStory>,
  lines: readonly StoredLine[],
): Generator<string> {
  for (const [customId, { url, body }] of sent) {
    const key = createHash('sha256')
      .update(`${url}\n${readContent(body)}`)
      .digest('base64url')
      .slice(0, 22);
    if (keyOf(customId) === customId && customId.slice(0, 22) !== key) yield `G3: ${customId} is not the key of its content`;
  }
  const generation = events.filter(({ type }) => type === 'generation-started').length;
  const winners = new Map<string, StoredLine>();
  for (const line of [...lines].sort(compareLines)) {
    const story = batches.get(line.batchId ?? '');
    if (story?.isExtra === true || (story?.generation ?? 0) !== generation) continue;
    const key = keyOf(line.customId);
    if (readAnswer(line, options) !== null && !winners.has(key)) winners.set(key, line);
  }
  const prefix = options.prefix ?? '';
  const seen = new Set<string>();
  for (const [index, row] of (table?.rows ?? []).entries()) {
    const key = rowKeys[index] ?? null;
    const status = row[`${prefix}_status`];
    if (key !== null && options.textColumn !== undefined) {
      const source = input[options.rows?.[index] ?? index] ?? {};
      const text = JSON.stringify(String(source[options.textColumn] ?? '')).slice(1, -1);
      const asked = sent.get(key);
      if (asked !== undefined && !asked.body.includes(text)) yield `G3: row ${index} is joined to a request that does not hold its text`;
    }
    if (status !== 'ok') continue;
    const winner = key === null ? undefined : winners.get(key);
    const answer = winner === undefined ? null : readAnswer(winner, options);
    if (key === null || winner === undefined || answer === null) {
      yield `G3: row ${index} is ok without a stored answer`;
      continue;
    }
    for (const [name, value] of Object.entries(answer)) {
      if (!isSameCell(row[`${prefix}${name}`], value)) yield `G3: row ${index}: ${name} is not what the winning line says`;
    }
    const isDuplicate = row[`${prefix}_source`] === 'duplicate';
    if (isDuplicate !== (seen.has(key) && key.length === 22)) yield `G3: row ${index} is ${isDuplicate ? '' : 'not '}marked duplicate`;
    seen.add(key);
  }
}

/** G6: every sum, to the nano-dollar. */
function* findSumViolations(
  { table, rowKeys, summary, bill }: RunEvidence,
  options: CheckOptions,
  batches: ReadonlyMap<string, BatchStory>,
  lines: readonly StoredLine[],
): Generator<string> {
  const prefix = options.prefix ?? '';
  const cost = summary.cost;
  let rowsNanoUsd = 0;
  const byKey = new Map<string, number>();
  let isUnknown = false;
  for (const [index, row] of (table?.rows ?? []).entries()) {
    const nanoUsd = readNanoUsd(row[`${prefix}_cost_usd`]);
    if (nanoUsd === null) isUnknown = true;
    rowsNanoUsd += nanoUsd ?? 0;
    const key = rowKeys[index];
    if (key !== null && key !== undefined) byKey.set(key, (byKey.get(key) ?? 0) + (nanoUsd ?? 0));
  }
  if (rowsNanoUsd !== cost.rowsNanoUsd) yield `G6: _cost_usd adds up to ${rowsNanoUsd}, the summary says ${cost.rowsNanoUsd}`;
  if (cost.nanoUsd !== cost.rowsNanoUsd + cost.orphanedNanoUsd) yield 'G6: total = rows + orphaned';
  if (isUnknown !== cost.unpricedAttempts > 0 && options.rows === undefined) yield 'G6: unknown costs and unpriced attempts disagree';

  const generation = Math.max(0, ...[...batches.values()].map((story) => story.generation));
  const paidByKey = new Map<string, number>();
  let lifeNanoUsd = 0;
  for (const line of lines.filter(isAnswered)) {
    const story = batches.get(line.batchId ?? '');
    const nanoUsd = priceLine(line);
    lifeNanoUsd += nanoUsd;
    if (story === undefined || story.isExtra || story.run !== summary.run || story.generation !== generation) continue;
    const key = keyOf(line.customId);
    paidByKey.set(key, (paidByKey.get(key) ?? 0) + nanoUsd);
  }
  if (lifeNanoUsd !== summary.ledger.nanoUsd)
    yield `G6: the recorded answers cost ${lifeNanoUsd}, the ledger says ${summary.ledger.nanoUsd}`;
  // An invocation that did nothing reports no spend; the run that wrote the table does.
  if (summary.attempts.total > 0 && !isUnknown) {
    for (const [key, nanoUsd] of byKey) {
      if (nanoUsd !== (paidByKey.get(key) ?? 0)) yield `G6: the rows of ${key} cost ${nanoUsd}, its calls ${paidByKey.get(key) ?? 0}`;
    }
  }
  const billNanoUsd = priceBill(findCollected(bill, batches));
  if ((options.destroyedLines ?? 0) === 0 && cost.unpricedAttempts === 0 && billNanoUsd !== summary.ledger.nanoUsd) {
    yield `G6: the bill is ${billNanoUsd}, the ledger says ${summary.ledger.nanoUsd}`;
  }
}

/** What was billed for batches whose files are here. */
function findCollected(bill: readonly BillLine[], batches: ReadonlyMap<string, BatchStory>): readonly BillLine[] {
  return bill.filter(({ batchId }) => batches.get(batchId ?? '')?.isCollected === true);
}

function tellBatches(events: readonly WireEvent[]): Map<string, BatchStory> {
  const stories = new Map<string, BatchStory>();
  const intentOf = new Map<string, { run: string; generation: number }>();
  let run = '';
  let generation = 0;
  for (const event of events) {
    if (event.type === 'run-started') run = event.run;
    if (event.type === 'generation-started') generation += 1;
    if (event.type === 'create-intent') intentOf.set(event.shard, { run, generation });
    const story = stories.get(event.batchId) ?? {
      ...(intentOf.get(event.shard) ?? { run, generation }),
      isExtra: false,
      isCollected: false,
    };
    if (event.type === 'create-done') stories.set(event.batchId, story);
    if (event.type === 'batch-extra') stories.set(event.batchId, { ...story, isExtra: true });
    if (event.type === 'batch-collected') stories.set(event.batchId, { ...story, isCollected: true });
  }
  return stories;
}

function readAnswer({ value }: StoredLine, { answerColumns: columns, isAnswer }: CheckOptions): Cells | null {
  if ((value.error ?? null) !== null || value.response?.status_code !== 200) return null;
  const choice = value.response.body?.choices?.[0];
  const text = choice?.message?.content;
  if (choice?.finish_reason !== 'stop' || choice.message.refusal || typeof text !== 'string' || text === '') return null;
  if (columns.length === 0) return { answer: text };
  try {
    const answer = parseAnswer(text);
    if (!columns.every((column) => Object.hasOwn(answer, column)) || isAnswer?.(answer, text) === false) return null;
    return Object.fromEntries(columns.map((name) => [name, answer[name]]));
  } catch {
    return null;
  }
}

/** JSON as it stands, or the one object between the lines of a code fence, or behind a line that ends with a colon. */
function parseAnswer(text: string): Cells {
  try {
    return JSON.parse(text);
  } catch {
    return JSON.parse(text.replace(/^```json\n([\s\S]*)\n```$/, '$1').replace(/^[\w ]+:\s*/, ''));
  }
}

function readNanoUsd(cell: unknown): number | null {
  const text = typeof cell === 'number' ? cell.toFixed(9) : String(cell ?? '');
  return /^\d+\.\d{9}$/.test(text) ? Number(text.replace('.', '')) : null;
}

function isSameCell(cell: unknown, value: unknown): boolean {
  if (JSON.stringify(cell) === JSON.stringify(value)) return true;
  return cell === (typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value));
}

/** The id without its `-r<n>`; by position, because a key may itself end in `-r1`. */
function keyOf(customId: string): string {
  return customId.slice(0, 22) + customId.slice(22).replace(/-r\d+$/, '');
}
