import { formatUsd } from '../core/summary.ts';

/** A count with thousands separated: `41,220`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/**
 * Dollars for a person: cents from $1 on, then as many decimals as keep it from looking like nothing (`$0.0412`, `$0.000018`).
 * An amount that is not zero never reads as zero.
 */
export function formatDollars(nanoUsd: number): string {
  if (nanoUsd === 0) return '$0';
  const decimals = nanoUsd >= 1e9 ? 2 : nanoUsd >= 1e7 ? 4 : nanoUsd >= 1e3 ? 6 : 9;
  const [whole = '', fraction = ''] = formatUsd(roundTo(nanoUsd, decimals)).split('.');
  return `$${formatCount(Number(whole))}.${fraction.slice(0, decimals)}`;
}

function roundTo(nanoUsd: number, decimals: number): number {
  const unit = 10 ** (9 - decimals);
  return Math.round(nanoUsd / unit) * unit;
}
