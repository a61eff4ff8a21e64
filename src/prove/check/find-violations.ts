import fs from 'node:fs';
import { type BillLine, compareCalls, compareLines, countBy, isAnswer, priceLine, type StoredLine } from './calls.ts';
import type { Evidence } from './evidence.ts';
import type { ReadTable } from './read-table.ts';

/** The expected result, known without the program. */
export interface Expected {
  /** For each row of the input, in order. */
  readonly rows: readonly ExpectedRow[];
  /** Calls paid for by the undisturbed run. */
  readonly calls: number;
  /** Its table; null as long as there is none. */
  readonly table: ReadTable | null;
  /** How much of a difference the attack allows. */
  readonly allows: Allowance;
  /** Texts that must not appear in any file or output. */
  readonly secrets: readonly string[];
}

export interface ExpectedRow {
  readonly status: 'ok' | 'failed' | 'skipped';
  /** The start of its `_error`. */
  readonly error: string;
  readonly source: string;
}

export interface Allowance {
  /** Calls that may be paid a second time if that is reported: nobody can be asked about live calls. 0 if the provider can be asked. */
  readonly secondPayments: number;
  /** Rows may have got their answers in another lane. */
  readonly mixesLanes: boolean;
}

/** Columns that say how a row got its answer: a second payment changes them. */
const COURSE_COLUMNS = ['_attempts', '_input_tokens', '_cached_tokens', '_output_tokens', '_reasoning_tokens', '_cost_usd', '_request_id'];

/** Every promise broken by a run that came to its end, each with its letter in the guarantees. */
export function* findViolations(evidence: Evidence, expected: Expected): Generator<string> {
  yield* findLostRows(evidence, expected);
  yield* findUntoldPayments(evidence, expected);
  yield* findWrongWinners(evidence);
  yield* findUnbalancedBooks(evidence);
  yield* findLeftovers(evidence, expected);
}

/** Every row once, in order, with the same end as in the undisturbed run. */
function* findLostRows({ input, table, summary }: Evidence, expected: Expected): Generator<string> {
  const { rows } = summary;
  for (const wrong of findWrongCounts(rows)) yield `rows: ${wrong}`;
  if (rows.in !== input.rows.length) yield `rows: ${input.rows.length} went in, the summary counts ${rows.in}`;
  if (table.rows.length !== input.rows.length) return yield `rows: ${input.rows.length} went in, the table has ${table.rows.length}`;
  for (const [index, row] of table.rows.entries()) {
    const end = expected.rows[index] as ExpectedRow;
    for (const column of input.columns)
      if (row[column] !== input.rows[index]?.[column]) yield `rows: ${column} of row ${index + 1} has changed`;
    const is = `${row._status} ${row._source} "${row._error}"`;
    if (row._status !== end.status || row._source !== end.source || !String(row._error).startsWith(end.error))
      yield `rows: row ${index + 1} ended as ${is}, not as ${end.status} ${end.source} "${end.error}"`;
  }
  const isSame = summary.attempts.unknown === 0 && expected.allows.secondPayments === 0 && !expected.allows.mixesLanes;
  for (const [index, row] of (expected.table?.rows ?? []).entries()) {
    for (const [column, cell] of Object.entries(row)) {
      // The request id of a refused row is unknown; an attempt without an answer changes how a row got its own.
      if (column === '_request_id' && row._status === 'failed') continue;
      if (!isSame && COURSE_COLUMNS.includes(column)) continue;
      const is = table.rows[index]?.[column];
      if (is !== cell) yield `table: ${column} of row ${index + 1} is ${is}, in the undisturbed run ${cell}`;
    }
  }
}

/** What does not add up in the counts of a summary. */
export function* findWrongCounts(rows: Readonly<Record<string, number>>): Generator<string> {
  const { in: all = 0, ok = 0, failed = 0, skipped = 0, pending = 0, new: fresh = 0, reused = 0, duplicate = 0 } = rows;
  if (all !== ok + failed + skipped + pending) yield 'in is not ok + failed + skipped + pending';
  if (ok !== fresh + reused + duplicate) yield 'ok is not new + reused + duplicate';
}

/** Compares the provider's bill with what is stored and what is reported, call by call. */
function* findUntoldPayments({ bill, lines, batches, events, summary }: Evidence, expected: Expected): Generator<string> {
  const { lacking, unbilled } = compareCalls(bill, lines);
  for (const call of unbilled) yield `bill: ${call}`;
  const told = summary.attempts.unknown as number;
  const doubtful = (summary.possiblyBilled ?? []).reduce((sum: number, { calls }: { calls: number }) => sum + calls, 0);
  if (lacking > Math.max(told, doubtful)) yield `bill: ${lacking} billed calls are not stored, ${Math.max(told, doubtful)} are reported`;
  if (lacking > 0 && !(summary.cost.possiblyBilledNanoUsd > 0))
    yield 'bill: billed calls are not stored, and nothing is reported as possibly billed';
  const second = bill.length - expected.calls;
  if (second < 0) yield `bill: ${bill.length} calls were made, ${expected.calls} are needed`;
  if (second > expected.allows.secondPayments) yield `bill: ${second} calls were paid a second time`;
  const creates = countBy(batches, ({ shard, attempt }) => `${shard}/${attempt}`);
  for (const [create, count] of creates) {
    if (count > 1) yield `bill: create ${create} reached the provider ${count} times`;
  }
  yield* findUnannounced(bill, events);
}

/** Everything that was paid for had been announced. */
function* findUnannounced(bill: readonly BillLine[], events: Evidence['events']): Generator<string> {
  const announced = new Set<string>();
  const bound = new Set<string>();
  for (const { type, calls, batchId } of events) {
    if (type === 'call-intent' || type === 'call-queued') for (const { customId } of calls) announced.add(customId);
    if (type === 'create-done' || type === 'batch-extra') bound.add(batchId);
  }
  for (const { lane, customId, batchId } of bill) {
    if (lane === 'live' && !announced.has(customId ?? '')) yield `intent: ${customId} was called without an intent`;
    if (lane === 'batch' && !bound.has(batchId ?? '')) yield `intent: ${batchId} was billed and is nowhere in the log`;
  }
}

/** Each row shows the answer of its first line: the smallest id in the file recorded first, whatever the order and number of lines. */
function* findWrongWinners({ table, lines, events, rowKeys }: Evidence): Generator<string> {
  const extra = new Set(events.filter(({ type }) => type === 'batch-extra').map(({ batchId }) => batchId));
  for (const [index, row] of table.rows.entries()) {
    if (row._status !== 'ok') continue;
    const successes = lines.filter((line) => line.customId.slice(0, 22) === rowKeys[index] && !extra.has(line.batchId) && isSuccess(line));
    const [first] = successes.toSorted(compareLines);
    if (first === undefined) yield `answer: row ${index + 1} is ok without a line for it`;
    else if (first.value.response.request_id !== row._request_id) yield `answer: row ${index + 1} is not what its first line says`;
  }
}

/** A complete answer that matches the small job's schema. */
function isSuccess(line: StoredLine): boolean {
  const choice = isAnswer(line) ? line.value.response.body.choices?.[0] : undefined;
  if (choice?.finish_reason !== 'stop' || (line.value.error ?? null) !== null) return false;
  try {
    const { label, summary } = JSON.parse(choice.message.content);
    return ['good', 'bad', 'other'].includes(label) && typeof summary === 'string';
  } catch {
    return false;
  }
}

/** Every total, to the nano-dollar. */
function* findUnbalancedBooks({ table, lines, summary, events, rowKeys }: Evidence): Generator<string> {
  const { cost, ledger } = summary;
  const rowCosts = table.rows.map((row) => Math.round(Number(row._cost_usd) * 1e9));
  const sum = rowCosts.reduce((total, nanoUsd) => total + nanoUsd, 0);
  if (sum !== cost.rowsNanoUsd) yield `books: _cost_usd adds up to ${sum}, the summary says ${cost.rowsNanoUsd}`;
  if (cost.nanoUsd !== cost.rowsNanoUsd + cost.orphanedNanoUsd) yield 'books: the total is not rows + orphaned';
  const answers = lines.filter(isAnswer);
  const life = answers.reduce((total, line) => total + priceLine(line), 0);
  if (life !== ledger.nanoUsd) yield `books: the stored answers cost ${life}, the ledger says ${ledger.nanoUsd}`;
  if (cost.nanoUsd !== ledger.nanoUsd) yield `books: the only run cost ${cost.nanoUsd}, the ledger says ${ledger.nanoUsd}`;
  const extra = new Set(events.filter(({ type }) => type === 'batch-extra').map(({ batchId }) => batchId));
  const byKey = new Map<string, number>();
  for (const line of answers) {
    const key = line.customId.slice(0, 22);
    if (!extra.has(line.batchId)) byKey.set(key, (byKey.get(key) ?? 0) + priceLine(line));
  }
  for (const [index, key] of rowKeys.entries()) {
    if (key === null || rowKeys.indexOf(key) !== index) continue;
    const paid = rowCosts.reduce((total, nanoUsd, at) => total + (rowKeys[at] === key ? nanoUsd : 0), 0);
    if (paid !== (byKey.get(key) ?? 0))
      yield `books: the rows of row ${index + 1}'s request cost ${paid}, its calls ${byKey.get(key) ?? 0}`;
  }
}

/** The log is complete, no temporary file is left, and no secret is in any file. */
function* findLeftovers({ events, files, summary }: Evidence, { secrets }: Expected): Generator<string> {
  for (const [index, { seq }] of events.entries()) if (seq !== index + 1) return yield `log: event ${index + 1} has the number ${seq}`;
  const ended = events.at(-1);
  if (ended?.type !== 'run-ended') yield `log: the last event is ${ended?.type}, and the run has ended`;
  if (summary.rows.pending > 0) yield 'rows: some are pending after the end';
  for (const file of files) {
    if (/\.tmp(-|$)|\.partial\./.test(file)) {
      yield `files: ${file} is left behind`;
      continue;
    }
    const text = fs.readFileSync(file, 'latin1');
    for (const secret of secrets) if (text.includes(secret)) yield `secrets: a key is in ${file}`;
  }
}
