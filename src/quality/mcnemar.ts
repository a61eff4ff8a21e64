import type { Interval, McNemar } from '../core/quality.ts';
import { Z_95 } from './wilson.ts';

/** With fewer rows on which the runs disagree, the chi-squared approximation is too rough. */
const EXACT_BELOW = 25;

/** McNemar's test. @param onlyA rows that only run A got right (or answered) @param onlyB the same for run B */
export function testMcNemar(basis: McNemar['basis'], onlyA: number, onlyB: number): McNemar {
  const discordant = onlyA + onlyB;
  if (discordant < EXACT_BELOW) {
    const pValue = Math.min(1, 2 * sumBinomial(discordant, Math.min(onlyA, onlyB)));
    return { basis, onlyA, onlyB, method: 'exact', statistic: null, pValue };
  }
  const statistic = Math.max(0, Math.abs(onlyA - onlyB) - 1) ** 2 / discordant;
  return { basis, onlyA, onlyB, method: 'chi-squared', statistic, pValue: computeErfc(Math.sqrt(statistic / 2)) };
}

/** B's share of correct rows minus A's, on the same rows: Agresti and Min's adjusted Wald interval (2005), which adds half a row to each cell. */
export function makeDifferenceInterval(onlyA: number, onlyB: number, rows: number): { readonly value: number } & Interval {
  const total = rows + 2;
  const difference = (onlyB - onlyA) / total;
  const half = (Z_95 * Math.sqrt(onlyA + onlyB + 1 - (onlyB - onlyA) ** 2 / total)) / total;
  const value = rows === 0 ? 0 : (onlyB - onlyA) / rows;
  return { value, low: Math.max(-1, difference - half), high: Math.min(1, difference + half) };
}

/** The chance of at most `most` heads in `tosses` tosses of a fair coin. */
function sumBinomial(tosses: number, most: number): number {
  let ways = 1;
  let sum = 1;
  for (let heads = 1; heads <= most; heads += 1) {
    ways = (ways * (tosses - heads + 1)) / heads;
    sum += ways;
  }
  return sum / 2 ** tosses;
}

/** 1 minus the error function, for x >= 0: by its series near 0, else by its continued fraction, which keeps the digits of small values. */
export function computeErfc(x: number): number {
  const factor = Math.exp(-x * x) / Math.sqrt(Math.PI);
  if (x < 2) {
    let term = 2 * x;
    let sum = term;
    for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n += 1) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return 1 - factor * sum;
  }
  let fraction = 0;
  for (let k = 60; k > 0; k -= 1) fraction = k / 2 / (x + fraction);
  return factor / (x + fraction);
}
