import { escapeLineForTerminal } from '../escape-for-terminal.ts';
import { formatCount, formatDollars, formatSmallDollars, formatSpent, formatThings } from '../format-numbers.ts';
import type { ReportFacts, Spread } from './facts.ts';
import { formatDuration, formatInstant, formatShare } from './format-times.ts';

/** The report's figures for the terminal, without a final newline: what `--summary full` shows beyond the summary. */
export function renderFigures(facts: ReportFacts): string {
  const { rowFigures, calls, budgetNanoUsd, summary } = facts;
  const count = (value: number) => formatCount(Math.round(value));
  const lines: (readonly [label: string, text: string])[] = [
    ['took', `${formatDuration(Date.parse(facts.endedAt) - Date.parse(facts.startedAt))}, from ${formatInstant(facts.startedAt)}`],
  ];
  if (budgetNanoUsd !== null)
    lines.push(['budget', `${formatDollars(budgetNanoUsd)}, ${formatShare(summary.cost.nanoUsd / budgetNanoUsd)} of it spent`]);
  for (const { model, rows, nanoUsd, unpricedRows = 0 } of facts.models)
    lines.push(['model', `${model ?? 'no usable answer'}  ${formatThings(rows, 'row')}, ${formatSpent(nanoUsd, unpricedRows)}`]);
  if (rowFigures !== null) {
    const { inputTokens, outputTokens, cost } = rowFigures;
    lines.push(['input', `${showSpread(inputTokens, count)} tokens a row`], ['output', `${showSpread(outputTokens, count)} tokens a row`]);
    if (cost !== null) lines.push(['cost', `${showSpread(cost, formatSmallDollars)} a row`]);
  }
  if (calls !== null) lines.push(['call', showSpread(calls.call, formatDuration)], ['wait', showSpread(calls.wait, formatDuration)]);
  for (const { id, phases } of facts.batches) {
    const words = phases.map(({ name, fromAt, toAt }) => `${name} ${formatDuration(Date.parse(toAt) - Date.parse(fromAt))}`);
    lines.push(['way', `${id}  ${words.join(', ')}`]);
  }
  for (const { field, values } of facts.fields) {
    const total = values.reduce((sum, { rows }) => sum + rows, 0);
    const shares = values.filter(({ rows }) => rows > 0).map(({ value, rows }) => `${value} ${formatShare(rows / total)}`);
    lines.push(['answers', `${field}: ${shares.join(', ')}`]);
  }
  const { messages, more } = facts.warnings;
  for (const message of messages) lines.push(['warning', message]);
  if (more > 0) lines.push(['warning', `and ${formatCount(more)} more`]);
  for (const { cause, rows, retry } of facts.causes)
    if (retry !== null) lines.push(['retry', `${formatThings(rows, 'row')} ${cause}: ${retry}`]);
  for (const { run, verdict, rows, nanoUsd, unpricedAttempts = 0 } of facts.runs.slice(0, -1).toReversed()) {
    lines.push([
      'before',
      `${run}  ${verdict}, ${formatCount(rows.ok)} of ${formatThings(rows.in, 'row')} ok, ${formatSpent(nanoUsd, unpricedAttempts)}`,
    ]);
  }
  return lines.map(([label, text]) => label.padEnd(10) + escapeLineForTerminal(text)).join('\n');
}

function showSpread({ mean, p50, p95, max }: Spread, show: (value: number) => string): string {
  return `mean ${show(mean)}, p50 ${show(p50)}, p95 ${show(p95)}, max ${show(max)}`;
}
