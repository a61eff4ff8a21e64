import { formatDollars } from '../format-numbers.ts';
import type { ReportFacts } from './facts.ts';
import { formatShare } from './format-times.ts';

/** The expected cost of the run, and its error: `estimated $0.0039; it was 5.1 % more than that`. */
export function describeEstimate({ summary: { cost } }: Pick<ReportFacts, 'summary'>): string {
  const { estimateNanoUsd, nanoUsd, unpricedAttempts } = cost;
  if (estimateNanoUsd === null) return 'not estimated: a price was unknown';
  if (estimateNanoUsd === 0 || nanoUsd === 0 || (unpricedAttempts > 0 && nanoUsd < estimateNanoUsd))
    return `estimated ${formatDollars(estimateNanoUsd)}`;
  const error = nanoUsd / estimateNanoUsd - 1;
  const words = Math.abs(error) < 0.0005 ? 'exactly that' : `${formatShare(Math.abs(error))} ${error < 0 ? 'less' : 'more'} than that`;
  return `estimated ${formatDollars(estimateNanoUsd)}; it was ${words}`;
}
