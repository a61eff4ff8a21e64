import { formatCount, formatThings } from '../../core/wording/format-count.ts';
import type { ListedModel, ListedTier } from '../../money/price-list.ts';
import { pricesAsOf } from '../../money/price-overrides.ts';
import { escapeLineForTerminal } from '../../output/escape-for-terminal.ts';
import type { Paint } from './paint.ts';
import { renderTable } from './render-table.ts';

const TIERS = ['standard', 'batch', 'flex', 'priority'] as const;
const MAX_CELLS = 48;
/** What a narrow terminal does without, in this order. */
const SPARE = ['source', 'since', 'priority in', 'flex in', 'cached', 'batch in', 'batch out'];

/** All models as one table, without a final newline. */
export function renderPriceList(models: readonly ListedModel[], day: string, paint: Paint): string {
  const head = ['model', 'input', 'cached', 'output', 'batch in', 'batch out', 'flex in', 'priority in', 'since', 'source'];
  const rows = models.map(({ model, tiers, effectiveFrom, source }) => [
    model,
    ...cellsOf(tiers.standard, ['input', 'cached', 'output']),
    ...cellsOf(tiers.batch, ['input', 'output']),
    ...cellsOf(tiers.flex, ['input']),
    ...cellsOf(tiers.priority, ['input']),
    effectiveFrom ?? '',
    source,
  ]);
  return [
    `Dollars per million tokens on ${day}; lists compared with their sources on ${pricesAsOf}`,
    renderTable([head, ...rows], { maxCells: MAX_CELLS, spare: SPARE }, paint),
    '- is not sold. One model with all its rules: rowmill prices MODEL',
  ].join('\n');
}

/** One model with everything that determines its cost, without a final newline. */
export function renderModelPrices(listed: ListedModel, day: string, paint: Paint): string {
  const { model, pricedAs, source, effectiveFrom, note, tiers, changes, maxOutputTokens, contextTokens } = listed;
  const line = (label: string, text: string) => `${paint('dim', label.padEnd(12))}${escapeLineForTerminal(text)}`;
  const rows = TIERS.flatMap((tier) => rowsOf(tier, tiers[tier]));
  return [
    paint('bold', escapeLineForTerminal(model)),
    line('priced as', `${pricedAs}, ${effectiveFrom === null ? 'since its release' : `since ${effectiveFrom}`}, on ${day}`),
    line('source', source),
    ...(note === '' ? [] : [line('note', note)]),
    line('limits', `${describeTokens(contextTokens)} of context, ${describeTokens(maxOutputTokens)} of output at most`),
    '',
    renderTable(
      [['dollars per million', 'input', 'cached', 'write', 'write, 12 h', 'output', 'source'], ...rows],
      { maxCells: MAX_CELLS, spare: ['source', 'write, 12 h', 'cached'] },
      paint,
    ),
    ...changes.map(({ from, usdPerMillion: usd }) =>
      line(`from ${from}`, usd === null ? ' unknown' : ` ${usd.input} in, ${usd.output} out`),
    ),
  ].join('\n');
}

function rowsOf(tier: string, listed: ListedTier | null): readonly (readonly string[])[] {
  if (listed === null) return [[tier, '-', '-', '-', '-', '-', 'not sold']];
  const { longContext: long, source, write12h } = listed;
  const cells = cellsOf(listed, ['input', 'cached', 'write']);
  const rows = [[tier, ...cells, String(write12h ?? '-'), ...cellsOf(listed, ['output']), source]];
  if (long === null) return rows;
  const usd = long.usdPerMillion;
  const longCells = usd === null ? ['-', '-', '-', '-', '-'] : [usd.input, usd.cached, usd.write, '', usd.output].map(String);
  return [...rows, [`  over ${formatCount(long.overTokens)} tokens`, ...longCells, usd === null ? 'not sold' : 'the whole request']];
}

function cellsOf(listed: ListedTier | null, columns: readonly (keyof ListedTier['usdPerMillion'])[]): readonly string[] {
  return columns.map((column) => (listed === null ? '-' : String(listed.usdPerMillion[column])));
}

function describeTokens(tokens: number | null): string {
  return tokens === null ? 'an unknown number' : formatThings(tokens, 'token');
}
