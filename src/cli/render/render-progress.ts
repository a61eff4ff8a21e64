import type { ShardView } from '../../batch/batch-lane.ts';
import type { WaitingFor } from '../../live/limits/meter.ts';
import type { QueueView } from '../../live/queue.ts';
import { escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import { formatCount, formatDollars, formatSpent, formatThings } from '../../output/format-numbers.ts';
import type { RunView } from '../../run/send/run-view.ts';
import { clipCells, measureCells } from './cells.ts';
import type { Forecast } from './forecast.ts';
import { createPaint } from './paint.ts';
import { wrapLine } from './wrap-text.ts';

export interface ProgressStyle {
  readonly now: Date;
  readonly columns: number;
  /** The most lines that can be repainted; further ones are left out. */
  readonly rows: number;
  readonly colour: boolean;
}

/** More shards than this are counted, not listed. */
const MAX_SHARD_LINES = 6;
const BAR_CELLS = 30;
const GAP = '   ';
/** A call that has been in flight for this long is mentioned. */
const LONG_CALL_MS = 2_000;

/** The lines of a run's progress, each at most `columns` wide; longer text continues on the next line, between words. */
export function renderProgress(view: RunView, forecast: Forecast, look: ProgressStyle): readonly string[] {
  const { dim, bold } = createStyles(look.colour);
  const flow = (parts: readonly string[]) => flowParts(parts, look.columns);
  const wait = (text: string) => wrapLine(` ${escapeLineForTerminal(text)}`, look.columns).flatMap((line) => fit(line, look.columns));
  const shards = view.underWay.slice(0, MAX_SHARD_LINES).flatMap((shard) => wait(describeShard(shard, view, look.now)));
  const hidden = view.underWay.length - MAX_SHARD_LINES;
  const lines = [
    ...renderTitle(view, forecast, look.columns).map(([title, clock]) => bold(title) + dim(clock)),
    ...flow([
      `${drawBar(view, look.columns)} ${formatCount(view.okRows)}/${formatCount(view.rowsAsked)} answered`,
      ...(view.failedRows === 0 ? [] : [`${formatCount(view.failedRows)} failed`]),
      ...(view.rows === view.rowsAsked ? [] : [`${formatCount(view.rows - view.rowsAsked)} skipped`]),
      ...describeMoney(view, forecast),
    ]),
    ...shards,
    ...(hidden > 0 ? [dim(` and ${formatThings(hidden, 'more batch file')}`)] : []),
    ...(view.deadline === null ? [] : flow(describeDeadline(view.deadline, look.now))),
    ...(view.calls === null ? [] : flow(describeCalls(view.calls, countWaiting(view)))),
    ...view.waits.slice(0, MAX_SHARD_LINES).flatMap(wait).map(dim),
  ];
  const isIdle = view.waits.length === 0 && view.underWay.length === 0 && (view.calls === null || countCalls(view.calls) === 0);
  if (isIdle) lines.push(dim(` ${view.phase} the table`));
  return lines.slice(0, Math.max(1, look.rows));
}

function createStyles(colour: boolean) {
  const paint = createPaint(colour);
  return { bold: (text: string) => paint('bold', text), dim: (text: string) => (text === '' ? '' : paint('dim', text)) };
}

/** Job, lane and model on the left, the clock on the right; on a separate line if there is no room. */
function renderTitle(view: RunView, { etaMs }: Forecast, columns: number): readonly (readonly [title: string, clock: string])[] {
  const clock = `elapsed ${formatDuration(view.elapsedMs)}${etaMs === null || view.phase === 'writing' ? '' : `  eta ${formatDuration(etaMs)}`}`;
  const title = [view.job, view.priced, view.model].map(escapeLineForTerminal).join('  ');
  const gap = columns - measureCells(title) - clock.length;
  if (gap >= 2) return [[title + ' '.repeat(gap), clock]];
  return [...flowParts([view.job, view.priced, view.model], columns).map((line) => [line, ''] as const), ['', clipCells(clock, columns)]];
}

function describeMoney(view: RunView, { projectedNanoUsd }: Forecast): readonly string[] {
  return [
    `spent ${formatSpent(view.spentNanoUsd, view.unpricedAttempts)}`,
    ...(projectedNanoUsd === null ? [] : [`projected ${formatDollars(projectedNanoUsd)}`]),
    ...(view.budgetNanoUsd === null ? [] : [`budget ${formatDollars(view.budgetNanoUsd)}`]),
  ];
}

/** Live calls: the limits and their use, what holds calls up, and how long they take. */
function describeCalls({ inFlight, concurrency, oldestMs = null, pace }: QueueView, waiting: number): readonly string[] {
  const flight = `in flight ${formatCount(inFlight)}/${formatCount(concurrency)}${describeOldest(oldestMs)}`;
  if (pace === undefined) return [flight, `waiting ${formatCount(waiting)}`];
  const limit = (value: number | null, show: (value: number) => string) => (value === null ? '' : `/${show(value)}`);
  const { calls, nextMs } = pace.backOffs;
  const next = nextMs === null ? '' : `, next in ${Math.ceil(nextMs / 1000)} s`;
  const { latencyMs } = pace;
  return [
    `rpm ${formatCount(pace.requestsLastMinute)}${limit(pace.requestsPerMinute, formatCount)}`,
    `tpm ${shortTokens(pace.tokensLastMinute)}${limit(pace.tokensPerMinute, shortTokens)}`,
    flight,
    ...(pace.waitingFor === null ? [] : [`waiting: ${describeWaitingFor(pace.waitingFor, oldestMs)}`]),
    ...(calls === 0 ? [] : [`back-off: ${formatCount(calls)} ${calls === 1 ? 'call' : 'calls'}${next}`]),
    ...(latencyMs === null ? [] : [`p50 ${(latencyMs.p50 / 1000).toFixed(1)} s  p95 ${(latencyMs.p95 / 1000).toFixed(1)} s`]),
  ];
}

/** Slow calls are waited for, not the places they take. */
function describeWaitingFor(what: WaitingFor, oldestMs: number | null): string {
  return what === 'concurrency' && describeOldest(oldestMs) !== '' ? 'answers' : what;
}

/** How long the oldest call has been without an answer, if that is worth mentioning. */
export function describeOldest(oldestMs: number | null): string {
  return oldestMs === null || oldestMs < LONG_CALL_MS ? '' : `, the oldest for ${Math.floor(oldestMs / 1000)} s`;
}

/** Rows that wait to be sent, or for the answer to an identical row; together with those answered, failed or in flight they are all rows. */
export function countWaiting({ rowsAsked, okRows, failedRows, calls }: RunView): number {
  return Math.max(0, rowsAsked - okRows - failedRows - (calls?.inFlight ?? 0));
}

export function countCalls({ inFlight, waiting }: QueueView): number {
  return inFlight + waiting;
}

/** How much time batches have left, as far as is known: the less is unanswered, the more. */
function describeDeadline({ at, isSwitched, switchAt }: NonNullable<RunView['deadline']>, now: Date): readonly string[] {
  const left = `deadline in ${formatDuration(at.getTime() - now.getTime())}`;
  return [left, isSwitched ? 'finishing live' : `batches have ${formatDuration(switchAt().getTime() - now.getTime())}`];
}

/** One shard: its phase by name, so that a waiting bar at 100 % does not look broken. */
function describeShard(shard: ShardView, { enqueuedTokens }: RunView, now: Date): string {
  const name = shard.shard === null ? 'extra batch' : `batch file ${shard.shard}`;
  if (shard.phase === 'waiting') {
    const { limitTokens, usedTokens } = enqueuedTokens;
    return `${name}  waiting: enqueued-token limit ${limitTokens === null ? 'not known' : shortTokens(limitTokens)}, ${shortTokens(usedTokens)} in use`;
  }
  if (shard.batch === null || shard.phase !== 'polling') return `${name}  ${shard.phase}  ${formatThings(shard.rows, 'request')}`;
  const { status, counts, expiresSeconds } = shard.batch;
  const done = counts.completed + counts.failed;
  const expires =
    expiresSeconds === null || status === 'finalizing' ? '' : `, expires in ${formatDuration(expiresSeconds * 1000 - now.getTime())}`;
  return `${name}  ${status}  ${formatCount(done)}/${formatCount(counts.total === 0 ? shard.rows : counts.total)}${expires}`;
}

function drawBar({ okRows, rowsAsked }: RunView, columns: number): string {
  const cells = Math.max(5, Math.min(BAR_CELLS, Math.floor(columns / 3)));
  const full = rowsAsked === 0 ? 0 : Math.floor((okRows / rowsAsked) * cells);
  return '█'.repeat(full) + '░'.repeat(cells - full);
}

/** Parts that belong together, as many per line as fit. */
function flowParts(parts: readonly string[], columns: number): readonly string[] {
  const lines: string[] = [];
  for (const part of parts.map(escapeLineForTerminal)) {
    const longer = lines.length === 0 ? part : `${lines.at(-1)}${GAP}${part}`;
    if (lines.length > 0 && measureCells(longer) <= columns) lines[lines.length - 1] = longer;
    else lines.push(...fit(part, columns));
  }
  return lines;
}

/** A line without a blank to break at, such as a long name, is cut if it is too wide, because painted lines are counted. */
function fit(line: string, columns: number): readonly [string] {
  return [clipCells(line, columns)];
}

/** `02:11:09`, or `08:28` below an hour. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, '0'));
  return (parts[0] === '00' ? parts.slice(1) : parts).join(':');
}

function shortTokens(tokens: number): string {
  if (tokens >= 1e6) return `${(tokens / 1e6).toFixed(1)}M`;
  return tokens >= 1e3 ? `${Math.round(tokens / 1e3)}k` : String(Math.round(tokens));
}
