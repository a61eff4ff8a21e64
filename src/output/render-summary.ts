import { styleText } from 'node:util';
import { EXIT } from '../core/errors.ts';
import type { AnomalyCosts, DeadlineSummary, Summary } from '../core/summary.ts';
import { describeDoubts, describeMost } from './describe-doubts.ts';
import { describeWithoutAnswer } from './describe-without-answer.ts';
import { escapeLineForTerminal } from './escape-for-terminal.ts';
import {
  describeAllRows,
  describeNotAsked,
  describeOrphaned,
  formatCount,
  formatDollars,
  formatSpent,
  formatThings,
} from './format-numbers.ts';
import { describeEmptyRows } from './verdict.ts';

/** How a summary is shown. */
export interface RenderOptions {
  readonly colour: boolean;
  /** With batches, life totals, anomalies and prices; else at most 20 lines. */
  readonly full: boolean;
}

type Line = readonly [label: string, text: string];

/** The summary for the terminal, without a final newline. Lines without content are left out. */
export function renderSummary(summary: Summary, options: RenderOptions): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    options.colour ? styleText(style, text, { validateStream: false }) : text;
  const lines = [...listRows(summary), ...listMoney(summary), ...listMaybe(summary, options.full), ...listEnd(summary, options.full)];
  const title = [summary.job, summary.model, `run ${summary.run}`].map(escapeLineForTerminal).join('  ');
  const emptyRows = describeEmptyRows(summary);
  const verdict = `${escapeLineForTerminal(emptyRows?.headline ?? summary.verdict)} (exit ${summary.exitCode})`;
  return [
    paint('bold', title) + (summary.simulated ? paint('yellow', '  simulated: no real model answered, nothing was billed') : ''),
    paint(emptyRows === null ? colourOf(summary.exitCode) : 'green', verdict),
    ...lines.map(([label, text]) => paint('dim', label.padEnd(10)) + escapeLineForTerminal(text)),
  ].join('\n');
}

function colourOf(exitCode: number): 'green' | 'yellow' | 'red' {
  if (exitCode === EXIT.done) return 'green';
  return exitCode === EXIT.refused || exitCode === EXIT.bug ? 'red' : 'yellow';
}

function listRows({ rows, attempts, tokens, causes, unwrapped = 0, unmarked = 0, warnings = [] }: Summary): readonly Line[] {
  const { ok, failed, skipped, pending } = rows;
  const lines: Line[] = [
    ['rows in', formatSum(rows.in, { ok, failed, skipped, pending })],
    ['ok', formatSum(ok, { new: rows.new, reused: rows.reused, duplicate: rows.duplicate })],
  ];
  const byCount = Object.entries(causes).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  if (byCount.length > 0) lines.push(['causes', byCount.map(([cause, count]) => `${formatCount(count)} ${cause}`).join(', ')]);
  if (unwrapped > 0) lines.push(['unwrapped', `${formatCount(unwrapped)} ok after text or a code fence around their JSON was removed`]);
  for (const warning of warnings.slice(0, MAX_WARNINGS)) lines.push(['warning', warning]);
  if (unmarked > 0) lines.push(['unmarked', `${formatCount(unmarked)} ok whose answers the provider did not mark as finished`]);
  const { batch, live, unknown } = attempts;
  lines.push(['attempts', `${formatSum(attempts.total, { batch, live })}, ${formatCount(unknown)} without an answer`]);
  const written = tokens.cacheWrite === undefined ? '' : `, ${formatCount(tokens.cacheWrite)} written to the cache`;
  const input = `${formatCount(tokens.input)} in (${formatCount(tokens.cachedInput)} cached${written})`;
  lines.push(['tokens', `${input}, ${formatCount(tokens.output)} out (${formatCount(tokens.reasoning)} reasoning)`]);
  return lines;
}

/** The report has all of them. */
const MAX_WARNINGS = 3;

/** `197 = 190 new + 0 reused + 7 duplicate`. */
function formatSum(total: number, parts: Readonly<Record<string, number>>): string {
  const terms = Object.entries(parts).map(([word, count]) => `${formatCount(count)} ${word}`);
  return `${formatCount(total)} = ${terms.join(' + ')}`;
}

function listMoney(summary: Summary): readonly Line[] {
  const { rows, cost, tokens, attempts, anomalies, anomalyCosts, ledger } = summary;
  const { unpricedAttempts, cacheSavedNanoUsd = 0 } = cost;
  const unpriced = unpricedAttempts === 0 ? '' : `${formatThings(unpricedAttempts, 'attempt')} of unknown price`;
  const isUnknown = unpricedAttempts > 0 && cost.nanoUsd === 0;
  const isIdle = attempts.total === 0 && cost.nanoUsd === 0 && unpricedAttempts === 0 && ledger.nanoUsd > 0;
  const spent = [
    isUnknown ? `unknown, ${unpriced}` : formatDollars(cost.nanoUsd) + (unpriced === '' ? '' : ` + ${unpriced}`),
    // Every answer is an earlier one, which was paid for then.
    isIdle ? `${formatSpent(ledger.nanoUsd, ledger.unpricedAttempts ?? 0)} in all runs` : '',
    cost.estimateNanoUsd === null || isIdle ? '' : `estimated ${formatDollars(cost.estimateNanoUsd)}`,
    cost.failedRowsNanoUsd === 0 ? '' : `on failed rows ${formatDollars(cost.failedRowsNanoUsd)}`,
  ];
  const saved = [
    cost.batchSavedNanoUsd === 0 ? '' : `${formatDollars(cost.batchSavedNanoUsd)} by the ${attempts.batch > 0 ? 'batch' : 'flex'} price`,
    cacheSavedNanoUsd > 0 ? `${formatDollars(cacheSavedNanoUsd)} by the prompt cache` : '',
    cost.reuseSavedNanoUsd === 0 ? '' : `${formatDollars(cost.reuseSavedNanoUsd)} by ${describeSaving(rows)}`,
  ];
  const lines: Line[] = [['spent', join(spent)]];
  if (isReasoningUnforeseen({ cost, tokens }))
    lines.push(['', 'more than estimated: most of the output is reasoning, and only answers tell how much of it a model needs']);
  if (cost.priceNote !== undefined) lines.push(['', cost.priceNote]);
  const lost = describeWithoutAnswer(summary);
  if (lost !== null) lines.push(['of it', lost]);
  if (join(saved) !== '') lines.push(['saved', join(saved)]);
  if (cacheSavedNanoUsd < 0) lines.push(['cache', `writes cost ${formatDollars(-cacheSavedNanoUsd)} more than reads saved`]);
  if (cost.orphanedNanoUsd > 0) lines.push(['orphaned', `${formatDollars(cost.orphanedNanoUsd)} ${describeOrphaned(unpricedAttempts)}`]);
  return [...lines, ...listAnomalies(anomalies, anomalyCosts), ...listNotAsked(summary)];
}

/** After a pilot or a stop. Its command is shown below, unless another one takes precedence. */
function listNotAsked({ notAsked, next, rows }: Summary): readonly Line[] {
  if (notAsked === undefined) return [];
  const { command } = notAsked;
  const text = `${describeNotAsked(notAsked)}${command === null || command === next ? '' : `: ${command}`}`;
  const inBatches = rows.pending - notAsked.rows;
  if (rows.pending > 0) return [['left', `${text}${inBatches > 0 ? `; ${formatCount(inBatches)} in batches` : ''}`]];
  const all = describeAllRows(notAsked, rows.in);
  return [...(all === null ? [] : [['all rows', all] as const]), ['not asked', text]];
}

/** Rows whose answers cost nothing here: reused from earlier runs, or those of identical rows. */
function describeSaving({ reused, duplicate }: Summary['rows']): string {
  const words = Object.entries({ reused, duplicate }).flatMap(([word, count]) => (count > 0 ? [word] : []));
  return `${words.join(' and ')} rows`;
}

/** A cost of this many times the estimate is explained. */
const UNFORESEEN = 1.5;

function isReasoningUnforeseen({ cost, tokens }: Pick<Summary, 'cost' | 'tokens'>): boolean {
  return cost.estimateNanoUsd !== null && cost.nanoUsd > cost.estimateNanoUsd * UNFORESEEN && tokens.reasoning * 2 > tokens.output;
}

/** Lines that cost something and are not separate answers. */
function listAnomalies({ conflict = 0, foreign = 0 }: Summary['anomalies'], costs: AnomalyCosts = {}): readonly Line[] {
  const show = (nanoUsd: number | null = null) => (nanoUsd === null ? 'an unknown amount' : formatDollars(nanoUsd));
  const lines: Line[] = [];
  if (conflict > 0)
    lines.push([
      'conflict',
      `${formatThings(conflict, 'line')} more for requests that were answered: ${show(costs.conflict)} of what was spent`,
    ]);
  if (foreign > 0) lines.push(['foreign', `${formatThings(foreign, 'line')} answering nothing of ours: ${show(costs.foreign)}, in no sum`]);
  return lines;
}

/** How many of the items that may have been billed are named in the short summary. */
const MAX_NAMED_DOUBTS = 2;

function listMaybe({ cost, possiblyBilled = [] }: Summary, full: boolean): readonly Line[] {
  if (cost.possiblyBilledNanoUsd === 0 && possiblyBilled.length === 0) return [];
  const named = describeDoubts(possiblyBilled);
  const shown = full ? named : named.slice(0, MAX_NAMED_DOUBTS);
  const rest = named.length - shown.length;
  return [
    ['maybe', `${describeMost(cost.possiblyBilledNanoUsd, possiblyBilled)} more, for calls that may have been billed without an answer`],
    ...shown.map((text): Line => ['', text]),
    ...(rest === 0 ? [] : [['', `and ${rest} more: report --summary full`] as const]),
  ];
}

function listEnd(summary: Summary, full: boolean): readonly Line[] {
  const { outputs, next } = summary;
  const lines: Line[] = full ? [...listDetails(summary)] : [];
  if (summary.deadline !== undefined) lines.push(['deadline', describeDeadline(summary.deadline)]);
  if (outputs.table !== null) lines.push(['table', outputs.table]);
  if (outputs.failures !== null) lines.push(['failures', outputs.failures]);
  if (outputs.report !== null) lines.push(['report', outputs.report]);
  const emptyRows = describeEmptyRows(summary);
  const todo = [...(next === null ? [] : [next]), ...(emptyRows === null ? [] : [emptyRows.remedy])];
  return [...lines, ...todo.map((text, index): Line => [index === 0 ? 'next' : '', text])];
}

function describeDeadline({ at, switchedAt, liveNanoUsd, maxLiveNanoUsd }: DeadlineSummary): string {
  const limit = maxLiveNanoUsd === null ? '' : ` of at most ${formatDollars(maxLiveNanoUsd)}`;
  return switchedAt === null
    ? `${at}: all batches ended in time`
    : `${at}: batches were cancelled at ${switchedAt}, live calls cost ${formatDollars(liveNanoUsd)}${limit}`;
}

function listDetails({ batches, ledger, anomalies, cost }: Summary): readonly Line[] {
  return [
    ...batches.map(({ id, status, requests }): Line => ['batch', `${id}  ${status}  ${formatThings(requests, 'request')}`]),
    ...Object.entries(anomalies).map(([kind, count]): Line => ['anomaly', `${formatCount(count)} ${kind}`]),
    ['life', `${formatThings(ledger.attempts, 'attempt')}, ${formatSpent(ledger.nanoUsd, ledger.unpricedAttempts ?? 0)} in all runs`],
    ['prices', `as of ${cost.pricesAsOf}`],
  ];
}

function join(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(', ');
}
