import { escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import { formatCount, formatDollars, formatThings } from '../../output/format-numbers.ts';
import { describeBudget, describeReach } from '../../run/budget/facts.ts';
import { ENOUGH_ANSWERS } from '../../run/open/answer-history.ts';
import type { CostRange } from '../../run/plan/cost.ts';
import type { Plan, PlanProblem } from '../../run/plan/plan-result.ts';
import type { TimeUnderLimits } from '../../run/plan/time.ts';
import { describeCache } from './describe-cache.ts';
import { type AskedOfContinued, describeContinued } from './describe-continued.ts';
import { createPaint, type Paint } from './paint.ts';
import { type Excerpt, makeExcerpt, renderPrompt } from './render-prompt.ts';

/** What the terminal shows besides the plan itself. */
export interface PlanLook {
  /** The command that runs it. */
  readonly command: string;
  /** What to change first; null for nothing. */
  readonly first: string | null;
  /** The command that shows the whole first prompt. */
  readonly showWhole: string;
  /** What was guessed about a table that has no job file yet. */
  readonly guesses: readonly string[];
  /** What is asked of the run, if it continues one. */
  readonly asked: AskedOfContinued;
  readonly colour: boolean;
}

/** A plan for the terminal, without a final newline. */
export function renderPlan(plan: Plan, { command, first, showWhole, guesses, asked, colour }: PlanLook): string {
  const paint = createPaint(colour);
  const line = (label: string, text: string) => paint('dim', label.padEnd(10)) + escapeLineForTerminal(text);
  const { tokens, cost } = plan;
  return [
    paint('bold', escapeLineForTerminal(`${plan.job}  ${plan.model}`)),
    ...(plan.continues === undefined ? [] : [line('continues', describeContinued(plan.continues, asked))]),
    ...guesses.map((guess, index) => line(index === 0 ? 'guessed' : '', guess)),
    line('rows in', describeRows(plan)),
    ...plan.changes.map((change) => line('changes', change)),
    ...describeToSend(plan).map((text, index) => line(index === 0 ? 'to send' : '', text)),
    line('tokens', describeInput(tokens)),
    line('', describeOutput(plan)),
    paint('dim', `${'cost'.padEnd(10)}${['low', 'expected', 'upper', 'worst'].map((word) => word.padStart(COLUMN)).join('')}`),
    ...(['batch', 'live', 'flex'] as const).map((lane) => line(`  ${lane}`, describeCost(cost[lane], isUnmeasured(plan)))),
    ...(hasUnknownUpper(plan) ? [line('', 'upper: not known before a first run has measured some answers')] : []),
    ...describeBudgets(plan).map((text, index) => line(index === 0 ? 'budget' : '', text)),
    ...describeCache(plan).map((text, index) => line(index === 0 ? 'cache' : '', text)),
    ...(plan.priceNote === undefined ? [] : [line('', plan.priceNote)]),
    ...describeCheaper(plan).map((text) => line('cheaper', text)),
    ...describeTime(plan.time).map((text, index) => line(index === 0 ? 'time' : '', text)),
    ...plan.problems.map((problem) => paint('yellow', `${problem.severity}: `) + escapeLineForTerminal(describeProblem(problem))),
    ...(plan.requests === undefined ? showFirst(plan, makeExcerpt(showWhole), paint) : showAll(plan.requests, paint)),
    '',
    'Nothing was sent, nothing was spent.',
    ...(first === null ? [] : [first]),
    `To do it: ${command}`,
  ].join('\n');
}

function showFirst({ firstRequest }: Plan, excerpt: Excerpt, paint: Paint): readonly string[] {
  return firstRequest === null ? [] : ['', paint('dim', 'first request'), renderPrompt(firstRequest, paint, excerpt)];
}

/** Prompts as they would be sent, each under the first row that uses it. */
function showAll(requests: NonNullable<Plan['requests']>, paint: Paint): readonly string[] {
  if (requests.length === 0) return ['', 'no prompt: there is nothing to send; --fresh shows what would be sent again'];
  return requests.flatMap(({ file, line, id, request }, index) => [
    '',
    paint('bold', escapeLineForTerminal(`prompt ${index + 1} of ${requests.length}  ${file}:${line}, id ${id}`)),
    renderPrompt(request, paint),
  ]);
}

function describeBudgets({ budget, budgets = [] }: Plan): readonly string[] {
  return [...(budget === undefined ? [] : [describeReach(budget)]), ...budgets.map(describeBudget)];
}

const COLUMN = 14;

function describeRows({ rows, skipped }: Plan): string {
  const words = {
    new: rows.new,
    changed: rows.changed,
    again: rows.again,
    'in batches now': rows.inFlight,
    answered: rows.answered,
    reused: rows.reused,
    duplicate: rows.duplicate,
    'failed before': rows.failed,
    skipped: rows.skipped,
  };
  const parts = Object.entries(words).filter(([, count]) => count > 0);
  const causes = Object.entries(skipped).map(([cause, count]) => `${formatCount(count)} ${cause}`);
  const sum = parts.map(([word, count]) => `${formatCount(count)} ${word}`).join(' + ') || '0';
  return `${formatCount(rows.in)} = ${sum}${causes.length === 0 ? '' : ` (${causes.join(', ')})`}`;
}

function describeToSend({ shards }: Plan): readonly string[] {
  if (shards.length === 0) return ['nothing'];
  const describe = ({ requests, bytes, tokens }: Plan['shards'][number]) =>
    `${formatThings(requests, 'request')}, ${formatBytes(bytes)}, about ${formatCount(tokens)} tokens`;
  const [only] = shards;
  if (only !== undefined && shards.length === 1) return [describe(only)];
  const sum = (pick: (shard: Plan['shards'][number]) => number) => shards.reduce((total, shard) => total + pick(shard), 0);
  const total = { requests: sum(({ requests }) => requests), bytes: sum(({ bytes }) => bytes), tokens: sum(({ tokens }) => tokens) };
  return [`${describe(total)}; in ${formatCount(shards.length)} batch files where they go as batches`];
}

function describeInput({ input, exactSample, inputMeasured }: Plan['tokens']): string {
  const notes = [
    ...(exactSample === 0 ? [] : [`${formatThings(exactSample, 'request')} counted exactly`]),
    ...(inputMeasured === 0 ? [] : [`corrected by the usage of ${formatCount(inputMeasured)}`]),
  ];
  return `${formatCount(input)} in${notes.length === 0 ? '' : ` (${notes.join(', ')})`}`;
}

/** Rows that measure what an answer costs; a run over fewer is its own sample. */
const MEASURING_ROWS = 50;

function describeOutput(plan: Plan): string {
  const { outputExpected, outputWorst, outputP50, outputP95, outputMeasured } = plan.tokens;
  const guess = plan.rows.in > MEASURING_ROWS ? `a guess: run --sample ${MEASURING_ROWS} measures it` : 'a guess; the run measures it';
  const source = outputMeasured === 0 ? guess : `measured on ${formatThings(outputMeasured, 'answer')}`;
  return `${formatCount(outputExpected)} out expected, ${formatCount(outputWorst)} at worst; an answer ${formatCount(outputP50)}, p95 ${formatCount(outputP95)} (${source})`;
}

function describeCheaper({ cheaper }: Plan): readonly string[] {
  if (cheaper === null) return [];
  const prices = (['batch', 'live', 'flex'] as const).flatMap((lane) => {
    const range = cheaper.cost[lane];
    return range === null ? [] : [`${lane} ${formatDollars(range.expectedNanoUsd)}`];
  });
  return [`${cheaper.model} for the same: ${prices.join(', ')}`];
}

/** The job's own limits alone if they suffice, else every tier's; tiers with the same time share a line. */
function describeTime(sets: readonly TimeUnderLimits[]): readonly string[] {
  const own = sets.find(({ tier }) => tier === null);
  const shown = own !== undefined && own.live !== null && own.batch !== null ? [own] : sets;
  const lines: { label: string; last: number | null; text: string }[] = [];
  for (const { tier, live, batch } of shown) {
    const text = [
      ...(live === null ? [] : [`live ${formatMinutes(live.minutes)} or more (${live.boundBy} per minute)`]),
      ...(batch === null ? [] : [`batch ${formatCount(batch.rounds)} ${batch.rounds === 1 ? 'round' : 'rounds'}, each within 24 h`]),
    ].join(', ');
    const line = lines.at(-1);
    if (line !== undefined && line.text === text && tier !== null) line.last = tier;
    else lines.push({ label: tier === null ? 'your limits' : `usage tier ${tier}`, last: null, text });
  }
  return lines.map(({ label, last, text }) => `${last === null ? label : `${label} to ${last}`}: ${text}`);
}

function formatMinutes(minutes: number): string {
  if (minutes < 1) return `${Math.ceil(minutes * 60)} s`;
  if (minutes < 120) return `${Math.ceil(minutes)} min`;
  return minutes < 2880 ? `${Math.ceil(minutes / 60)} h` : `${Math.ceil(minutes / 1440)} days`;
}

function describeCost(range: CostRange | null, isUnmeasured: boolean): string {
  if (range === null) return 'not sold, or its price is unknown'.padStart(COLUMN);
  const upper = isUnmeasured && isUpperUnknown(range) ? '-' : formatDollars(range.upperNanoUsd);
  return [formatDollars(range.lowNanoUsd), formatDollars(range.expectedNanoUsd), upper, formatDollars(range.worstNanoUsd)]
    .map((text) => text.padStart(COLUMN))
    .join('');
}

/** Whether too few answers were measured to know the length of long ones. */
function isUnmeasured({ tokens }: Plan): boolean {
  return tokens.outputExpected > 0 && tokens.outputMeasured < ENOUGH_ANSWERS;
}

/** Before anything was measured, the upper estimate is only a multiple of the expected cost for a model that reasons, and equal to it for others. */
function isUpperUnknown({ expectedNanoUsd, upperNanoUsd }: CostRange): boolean {
  return upperNanoUsd === expectedNanoUsd;
}

function hasUnknownUpper(plan: Plan): boolean {
  return isUnmeasured(plan) && Object.values(plan.cost).some((range) => range !== null && isUpperUnknown(range));
}

function describeProblem({ file, line, column, message }: PlanProblem): string {
  return file === null ? message : `${file}:${line}:${column}  ${message}`;
}

function formatBytes(bytes: number): string {
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`;
  return bytes >= 1e3 ? `${Math.round(bytes / 1e3)} kB` : `${bytes} bytes`;
}
