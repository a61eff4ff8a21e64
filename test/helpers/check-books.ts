import { createHash } from 'node:crypto';
import type { CheckOptions } from './check-run.ts';
import type { BillLine, Cells, RunEvidence, WireEvent } from './run-evidence.ts';

/** Nano-dollars per token, standard tier; half of it in batch, cached tokens at the full input rate (price pages of 2026-09). */
const PRICES: Readonly<Record<string, { readonly input: number; readonly output: number; readonly write?: number }>> = {
  'gpt-4o-mini': { input: 150, output: 600 },
  'gpt-4.1-nano': { input: 100, output: 400 },
  'gpt-4.1-mini': { input: 400, output: 1600 },
  'gpt-5.6-luna': { input: 200, output: 1200, write: 250 },
  'gpt-4-turbo': { input: 10_000, output: 30_000 },
};

/** One line of a recorded file that speaks of a request. */
interface StoredLine {
  readonly batchId: string;
  readonly customId: string;
  readonly lineId: string;
  readonly hash: string;
  readonly file: number;
  // biome-ignore lint/suspicious/noExplicitAny: read as the provider wrote it.
  readonly value: any;
}

/** A batch as the events tell it. */
interface BatchStory {
  readonly run: string;
  readonly generation: number;
  readonly isExtra: boolean;
  readonly isCollected: boolean;
}

/** What a batch call cost: sum exactly, halve, round half up once. Null for a model without a price here. */
export function priceCall(model: string, usage: BillLine['usage']): number | null {
  const name = Object.keys(PRICES).find((known) => model === known || model.startsWith(`${known}-2`));
  const price = name === undefined ? undefined : PRICES[name];
  if (price === undefined) return null;
  const { cache_write_tokens: written = 0 } = usage.prompt_tokens_details ?? {};
  const writes = price.write === undefined ? 0 : written * (price.write - price.input);
  return Math.floor((usage.prompt_tokens * price.input + writes + usage.completion_tokens * price.output) / 2 + 0.5);
}

/** G2, G3 and G6: nothing paid unnoticed, one answer per row, books that balance. */
export function* findBookViolations(evidence: RunEvidence, options: CheckOptions): Generator<string> {
  const batches = tellBatches(evidence.events);
  const lines = readStoredLines(evidence);
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
  const billed = countBy(bill, callOf);
  const recorded = countBy(lines.filter(isAnswered), callOf);
  let lacking = 0;
  for (const [call, count] of billed) {
    const batchId = call.split(' ')[0] as string;
    const story = batches.get(batchId);
    if (story === undefined) yield `G2: ${batchId} was billed and stands nowhere in the events`;
    else if (story.isCollected) lacking += Math.max(0, count - (recorded.get(call) ?? 0));
  }
  for (const [call, count] of recorded) {
    if (count > (billed.get(call) ?? 0)) yield `G2: ${call} is recorded ${count} times and billed ${billed.get(call) ?? 0} times`;
  }
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
    const story = batches.get(line.batchId);
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
    const story = batches.get(line.batchId);
    const nanoUsd = readLineCost(line);
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
  const collected = bill.filter(({ batchId }) => batches.get(batchId)?.isCollected === true);
  const billNanoUsd = collected.reduce((sum, { model, usage }) => sum + (priceCall(model, usage) ?? 0), 0);
  if ((options.destroyedLines ?? 0) === 0 && cost.unpricedAttempts === 0 && billNanoUsd !== summary.ledger.nanoUsd) {
    yield `G6: the bill is ${billNanoUsd}, the ledger says ${summary.ledger.nanoUsd}`;
  }
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

function readStoredLines({ files }: RunEvidence): StoredLine[] {
  const lines: StoredLine[] = [];
  for (const [file, { batchId, bytes }] of files.entries()) {
    const calls = new Set<string>();
    for (const text of bytes
      .toString('utf8')
      .replace(/^\uFEFF/, '')
      .split('\n')) {
      if (text.trim() === '') continue;
      try {
        const value = JSON.parse(text);
        if (!/^[A-Za-z0-9_-]{22}(-o\d+)?(-r\d+)?$/.test(value.custom_id)) continue;
        const hash = createHash('sha256').update(text.trim()).digest('hex');
        const line = { batchId, customId: value.custom_id, lineId: String(value.id ?? ''), hash, file, value };
        // The same line twice is one call.
        const call = `${line.customId} ${line.lineId}`;
        if (!calls.has(call)) lines.push(line);
        calls.add(call);
      } catch {
        // A broken line is nobody's answer; whether it was paid is counted against the bill.
      }
    }
  }
  return lines;
}

/** Executed, whatever the answer is worth: it holds a choice or reports tokens. */
function isAnswered({ value }: StoredLine): boolean {
  const { response } = value;
  return response?.status_code === 200 && typeof response.body === 'object' && response.body !== null;
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

function readLineCost({ value }: StoredLine): number {
  const { model, usage } = value.response.body;
  const isCount = (count: unknown) => typeof count === 'number' && Number.isInteger(count) && count >= 0;
  if (!isCount(usage?.prompt_tokens) || !isCount(usage?.completion_tokens)) return 0;
  return priceCall(String(model), usage) ?? 0;
}

function readNanoUsd(cell: unknown): number | null {
  const text = typeof cell === 'number' ? cell.toFixed(9) : String(cell ?? '');
  return /^\d+\.\d{9}$/.test(text) ? Number(text.replace('.', '')) : null;
}

function isSameCell(cell: unknown, value: unknown): boolean {
  if (JSON.stringify(cell) === JSON.stringify(value)) return true;
  return cell === (typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value));
}

function compareLines(a: StoredLine, b: StoredLine): number {
  return a.file - b.file || (a.lineId < b.lineId ? -1 : a.lineId > b.lineId ? 1 : 0) || (a.hash < b.hash ? -1 : 1);
}

/** The id without its `-r<n>`; by position, because a key may itself end in `-r1`. */
function keyOf(customId: string): string {
  return customId.slice(0, 22) + customId.slice(22).replace(/-r\d+$/, '');
}

function callOf({ batchId, customId }: { readonly batchId: string; readonly customId: string }): string {
  return `${batchId} ${customId}`;
}

function countBy<T>(values: readonly T[], nameOf: (value: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(nameOf(value), (counts.get(nameOf(value)) ?? 0) + 1);
  return counts;
}
