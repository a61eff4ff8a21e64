import { escapeLineForTerminal } from '../output/escape-for-terminal.ts';
import { formatCount, formatDollars } from '../output/format-numbers.ts';
import type { CostRange, PlanProblem, Preview } from '../run/preview.ts';
import { createPaint } from './paint.ts';
import { renderPrompt } from './render-prompt.ts';

/** More shards than this are summed up. */
const MAX_SHARD_LINES = 5;
const MAX_PROMPT_LINES = 24;

/** A plan for the terminal, without a final newline. @param command what does it */
export function renderPlan(preview: Preview, command: string, colour: boolean): string {
  const paint = createPaint(colour);
  const line = (label: string, text: string) => paint('dim', label.padEnd(10)) + escapeLineForTerminal(text);
  const { tokens, cost } = preview;
  return [
    paint('bold', escapeLineForTerminal(`${preview.job}  ${preview.model}`)),
    line('rows in', describeRows(preview)),
    ...describeShards(preview).map((text) => line('shards', text)),
    line('tokens', describeTokens(tokens)),
    paint('dim', `${'cost'.padEnd(10)}${['low', 'expected', 'worst'].map((word) => word.padStart(COLUMN)).join('')}`),
    ...(['batch', 'live', 'flex'] as const).map((lane) => line(`  ${lane}`, describeCost(cost[lane]))),
    ...preview.problems.map((problem) => paint('yellow', `${problem.severity}: `) + escapeLineForTerminal(describeProblem(problem))),
    ...(preview.firstRequest === null
      ? []
      : ['', paint('dim', 'first request'), renderPrompt(preview.firstRequest, paint, MAX_PROMPT_LINES)]),
    '',
    'Nothing was sent, nothing was spent.',
    `To do it: ${command}`,
  ].join('\n');
}

const COLUMN = 14;

function describeRows({ rows, skipped }: Preview): string {
  const words = {
    new: rows.new,
    changed: rows.changed,
    'tried again': rows.again,
    'in batches now': rows.inFlight,
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

function describeShards({ shards }: Preview): readonly string[] {
  if (shards.length === 0) return ['none: nothing is to be sent'];
  const describe = ({ requests, bytes, tokens }: Preview['shards'][number]) =>
    `${formatCount(requests)} requests, ${formatBytes(bytes)}, about ${formatCount(tokens)} tokens`;
  if (shards.length <= MAX_SHARD_LINES) return shards.map(describe);
  const sum = (pick: (shard: Preview['shards'][number]) => number) => shards.reduce((total, shard) => total + pick(shard), 0);
  const total = { requests: sum(({ requests }) => requests), bytes: sum(({ bytes }) => bytes), tokens: sum(({ tokens }) => tokens) };
  return [`${shards.length}: ${describe(total)}`];
}

function describeTokens({ input, exactSample, outputExpected, outputWorst }: Preview['tokens']): string {
  const counted = exactSample === 0 ? '' : ` (${formatCount(exactSample)} requests counted exactly)`;
  return `${formatCount(input)} in${counted}, ${formatCount(outputExpected)} out expected, ${formatCount(outputWorst)} at worst`;
}

function describeCost(range: CostRange | null): string {
  if (range === null) return 'not sold, or its price is unknown'.padStart(COLUMN);
  return [range.lowNanoUsd, range.expectedNanoUsd, range.worstNanoUsd].map((nanoUsd) => formatDollars(nanoUsd).padStart(COLUMN)).join('');
}

function describeProblem({ file, line, column, message }: PlanProblem): string {
  return file === null ? message : `${file}:${line}:${column}  ${message}`;
}

function formatBytes(bytes: number): string {
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`;
  return bytes >= 1e3 ? `${Math.round(bytes / 1e3)} kB` : `${bytes} bytes`;
}
