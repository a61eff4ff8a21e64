import type { Interval, McNemar } from '../core/quality.ts';
import { formatCount, formatDollars } from './format-numbers.ts';

/** `87.3 % [85.1, 89.2]`; a dash if there is nothing to divide by. */
export function formatShareWithin(share: number | null, interval: Interval | null): string {
  if (share === null) return '-';
  const percent = (value: number) => (value * 100).toFixed(1);
  return `${percent(share)} %${interval === null ? '' : ` [${percent(interval.low)}, ${percent(interval.high)}]`}`;
}

/** A difference of two shares: `+2.1 points [-0.4, +4.6]`. */
export function formatPointsWithin({ value, low, high }: { readonly value: number } & Interval): string {
  const points = (share: number) => `${share > 0 ? '+' : ''}${(share * 100).toFixed(1)}`;
  return `${points(value)} points [${points(low)}, ${points(high)}]`;
}

/** Below this p-value a difference is more than chance. */
const SIGNIFICANT = 0.05;

/** Whether one of two runs has more right answers, and more than by chance. */
export function isBeyondChance({ pValue }: McNemar, difference: { readonly value: number }): boolean {
  return pValue < SIGNIFICANT && difference.value !== 0;
}

/** `p = 0.0412 (exact): 3 rows correct only in the baseline, 11 only in the candidate`. */
export function describeMcNemar({ basis, onlyA, onlyB, method, statistic, pValue }: McNemar): string {
  const how = method === 'exact' ? 'exact' : `chi-squared ${statistic?.toFixed(2)}`;
  const p = pValue < 0.0001 ? 'p < 0.0001' : `p = ${pValue.toFixed(4)}`;
  return `${p} (${how}): ${formatCount(onlyA)} rows ${basis} only in the baseline, ${formatCount(onlyB)} only in the candidate`;
}

/** A difference of two amounts, with its sign. */
export function formatDollarDifference(nanoUsd: number): string {
  if (nanoUsd === 0) return '$0';
  return `${nanoUsd > 0 ? '+' : '-'}${formatDollars(Math.abs(nanoUsd))}`;
}
