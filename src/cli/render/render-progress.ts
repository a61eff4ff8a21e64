import { styleText } from 'node:util';
import type { ShardView } from '../../batch/batch-lane.ts';
import type { QueueView } from '../../live/queue.ts';
import { escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import { formatDollars, formatSpent } from '../../output/format-numbers.ts';
import type { RunView } from '../../run/send/run-view.ts';

export interface ProgressStyle {
  readonly now: Date;
  readonly columns: number;
  readonly colour: boolean;
}

/** More shards than this are counted, not listed. */
const MAX_SHARD_LINES = 6;
const BAR_CELLS = 30;

/** The lines of a run's progress, each at most `columns` wide. */
export function renderProgress(view: RunView, look: ProgressStyle): readonly string[] {
  const bold = (text: string) => (look.colour ? styleText('bold', text, { validateStream: false }) : text);
  const dim = (text: string) => (look.colour ? styleText('dim', text, { validateStream: false }) : text);
  const elapsed = `elapsed ${formatDuration(view.elapsedMs)}`;
  const title = clip(`${view.job}  ${view.priced}  ${view.model}`, look.columns - elapsed.length - 2);
  const gap = ' '.repeat(Math.max(0, look.columns - title.length - elapsed.length));
  const share = view.rowsAsked === 0 ? 0 : view.okRows / view.rowsAsked;
  const spent = formatSpent(view.spentNanoUsd, view.unpricedAttempts);
  const budget = view.budgetNanoUsd === null ? '' : `   budget ${formatDollars(view.budgetNanoUsd)}`;
  const lines = [
    bold(title) + gap + dim(elapsed),
    clip(`${drawBar(share)} ${count(view.okRows)}/${count(view.rowsAsked)} answered   spent ${spent}${budget}`, look.columns),
    ...view.underWay.slice(0, MAX_SHARD_LINES).map((shard) => clip(` ${describeShard(shard, view, look.now)}`, look.columns)),
  ];
  if (view.deadline !== null) lines.push(clip(describeDeadline(view.deadline, look.now), look.columns));
  if (view.calls !== null) lines.push(...describeCalls(view.calls).map((line) => clip(line, look.columns)));
  if (view.underWay.length > MAX_SHARD_LINES) lines.push(dim(` and ${view.underWay.length - MAX_SHARD_LINES} more shards`));
  lines.push(...view.waits.slice(0, MAX_SHARD_LINES).map((wait) => dim(clip(` ${wait}`, look.columns))));
  if (view.waits.length === 0 && view.underWay.length === 0 && (view.calls === null || view.calls.inFlight + view.calls.waiting === 0))
    lines.push(dim(' reading and writing the table'));
  return lines;
}

/** Live calls: the limits and what is used of them, what holds calls up, and how long they take. */
function describeCalls({ inFlight, concurrency, waiting, pace }: QueueView): readonly string[] {
  const flight = `in flight ${count(inFlight)}/${count(concurrency)}`;
  if (pace === undefined) return [`${flight}   waiting ${count(waiting)}`];
  const limit = (value: number | null, show: (value: number) => string) => (value === null ? '' : `/${show(value)}`);
  const rpm = `rpm ${count(pace.requestsLastMinute)}${limit(pace.requestsPerMinute, count)}`;
  const tpm = `tpm ${shortTokens(pace.tokensLastMinute)}${limit(pace.tokensPerMinute, shortTokens)}`;
  const { calls, nextMs } = pace.backOffs;
  const backOff = calls === 0 ? '' : `   back-off: ${count(calls)} calls${nextMs === null ? '' : `, next in ${Math.ceil(nextMs / 1000)}s`}`;
  const latency =
    pace.latencyMs === null ? '' : `p50 ${(pace.latencyMs.p50 / 1000).toFixed(1)}s  p95 ${(pace.latencyMs.p95 / 1000).toFixed(1)}s`;
  return [
    `${rpm}   ${tpm}   ${flight}${pace.waitingFor === null ? '' : `   waiting: ${pace.waitingFor}`}${backOff}`,
    ...(latency === '' ? [] : [latency]),
  ];
}

/** How long batches have, as far as is known now: the less is left to be answered, the longer. */
function describeDeadline({ at, isSwitched, switchAt }: NonNullable<RunView['deadline']>, now: Date): string {
  const left = `deadline in ${formatDuration(at.getTime() - now.getTime())}`;
  return isSwitched ? `${left}   finishing live` : `${left}   batches have ${formatDuration(switchAt().getTime() - now.getTime())}`;
}

/** One shard: its phase by name, so that a bar at 100 % that waits does not look broken. */
function describeShard(shard: ShardView, { enqueuedTokens }: RunView, now: Date): string {
  const name = shard.shard === null ? 'extra batch' : `shard ${shard.shard}`;
  if (shard.phase === 'waiting') {
    const { limitTokens, usedTokens } = enqueuedTokens;
    return `${name}  waiting: enqueued-token limit ${limitTokens === null ? 'not known' : shortTokens(limitTokens)}, ${shortTokens(usedTokens)} in use`;
  }
  if (shard.batch === null || shard.phase !== 'polling') return `${name}  ${shard.phase}  ${count(shard.rows)} requests`;
  const { status, counts, expiresSeconds } = shard.batch;
  const done = counts.completed + counts.failed;
  const expires =
    expiresSeconds === null || status === 'finalizing' ? '' : `, expires in ${formatDuration(expiresSeconds * 1000 - now.getTime())}`;
  return `${name}  ${status}  ${count(done)}/${count(counts.total === 0 ? shard.rows : counts.total)}${expires}`;
}

function drawBar(share: number): string {
  const full = Math.floor(share * BAR_CELLS);
  return '█'.repeat(full) + '░'.repeat(BAR_CELLS - full);
}

/** `02:11:09`, or `08:28` below an hour. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, '0'));
  return (parts[0] === '00' ? parts.slice(1) : parts).join(':');
}

function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ' ');
}

function shortTokens(tokens: number): string {
  if (tokens >= 1e6) return `${(tokens / 1e6).toFixed(1)}M`;
  return tokens >= 1e3 ? `${Math.round(tokens / 1e3)}k` : String(Math.round(tokens));
}

/** Makes a line of names and words from the provider harmless, and keeps it on its line: the painted lines are counted. */
function clip(line: string, columns: number): string {
  const text = escapeLineForTerminal(line);
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}
