import { formatUsd, type NotAsked } from '../core/summary.ts';
import { formatCount, formatThings } from '../core/wording/format-count.ts';

export { formatCount, formatThings } from '../core/wording/format-count.ts';

/**
 * Dollars for a person: cents from $1 on, below that two or as many decimals as keep it from looking like nothing (`$0.4123`, `$0.000018`).
 * An amount other than zero never reads as zero.
 */
export function formatDollars(nanoUsd: number): string {
  if (nanoUsd === 0) return '$0';
  const decimals = nanoUsd >= 1e7 ? 4 : nanoUsd >= 1e4 ? 6 : 9;
  const small = roundTo(nanoUsd, decimals);
  if (small < 1e9) return `$${formatUsd(small).replace(/(\.\d\d\d*?)0+$/, '$1')}`;
  const [dollars = '', fraction = ''] = formatUsd(roundTo(nanoUsd, 2)).split('.');
  return `$${formatCount(Number(dollars))}.${fraction.slice(0, 2)}`;
}

/** What was spent: `unknown` if no part of it has a known price, never $0. */
export function formatSpent(nanoUsd: number, unpricedAttempts: number): string {
  if (unpricedAttempts === 0) return formatDollars(nanoUsd);
  return nanoUsd === 0 ? 'unknown' : `${formatDollars(nanoUsd)} + unknown`;
}

/** What an amount that belongs to no row was spent on. */
export function describeOrphaned(unpricedAttempts: number): string {
  const unpriced = unpricedAttempts === 0 ? '' : ', or whose row cost an unknown amount besides';
  return `for calls whose answer no row uses, such as those of earlier prompts or rows that are gone${unpriced}`;
}

/** The price of one row or call, with at least three digits: `$0.0000114`. */
export function formatSmallDollars(nanoUsd: number): string {
  if (nanoUsd === 0 || nanoUsd >= 1e8) return formatDollars(Math.round(nanoUsd));
  const digits = Math.max(0, Math.floor(Math.log10(nanoUsd)) - 2);
  const rounded = Math.round(nanoUsd / 10 ** digits) * 10 ** digits;
  return `$${formatUsd(rounded).replace(/0+$/, '')}`;
}

/** What a pilot left out: `109 of 120 rows (102 requests), about $0.0041`. */
export function describeNotAsked({ rows, requests = rows, of, sinceFresh, expectedNanoUsd }: NotAsked): string {
  const different = requests === rows ? '' : ` (${formatThings(requests, 'request')})`;
  const price = expectedNanoUsd === null ? 'at an unknown price' : `about ${formatDollars(expectedNanoUsd)}`;
  const since = sinceFresh === true ? ' since --fresh' : '';
  return `${formatCount(rows)} of ${formatThings(of, 'row')}${since}${different}, ${price}`;
}

/** All rows of a pilot's table, by kind: `60 = 10 of this run + 48 not asked + 1 answered + 1 skipped`; null if there are no other kinds than the first two. */
export function describeAllRows({ rows, of, others }: NotAsked, rowsOfRun: number): string | null {
  const { inFlight = 0, ...settled } = others ?? {};
  const more = Object.entries({ ...settled, 'in batches': inFlight }).filter(([, count]) => count > 0);
  if (more.length === 0) return null;
  const terms = [['of this run', rowsOfRun] as const, ['not asked', rows] as const, ...more];
  return `${formatCount(of)} = ${terms.map(([word, count]) => `${formatCount(count)} ${word}`).join(' + ')}`;
}

function roundTo(nanoUsd: number, decimals: number): number {
  const unit = 10 ** (9 - decimals);
  return Math.round(nanoUsd / unit) * unit;
}
