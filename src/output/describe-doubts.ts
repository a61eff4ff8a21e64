import type { DoubtfulCalls } from '../core/summary.ts';
import { formatDollars, formatThings } from './format-numbers.ts';

/** Each item that may have been billed in a few words, the most expensive first: `14 requests without an answer in the files of batch_1 (at most $0.0021)`. */
export function describeDoubts(items: readonly DoubtfulCalls[]): readonly string[] {
  return items.toSorted((a, b) => (b.nanoUsd ?? Number.POSITIVE_INFINITY) - (a.nanoUsd ?? Number.POSITIVE_INFINITY)).map(describeDoubt);
}

/** What they may have cost in all: `up to $0.0021`; `an unknown amount` if no part has a known bound, never $0. */
export function describeMost(nanoUsd: number, items: readonly DoubtfulCalls[]): string {
  const hasUnknown = items.some((item) => item.nanoUsd === null);
  const known = hasUnknown && nanoUsd === 0 ? [] : [`up to ${formatDollars(nanoUsd)}`];
  return [...known, ...(hasUnknown ? ['an unknown amount'] : [])].join(' and ');
}

function describeDoubt(item: DoubtfulCalls): string {
  const { why, nanoUsd } = item;
  const most = why === 'usage_beyond_lines' ? '' : 'at most ';
  return `${describeWhy(item)} (${nanoUsd === null ? 'price unknown' : `${most}${formatDollars(nanoUsd)}`})`;
}

function describeWhy({ why, id, calls }: DoubtfulCalls): string {
  const requests = formatThings(calls, 'request');
  switch (why) {
    case 'lost_calls':
      return `${formatThings(calls, 'live call')} without an end`;
    case 'missing_lines':
      return `${requests} without an answer in the files of ${id}`;
    case 'vanished_batch':
      return `${requests} of ${id}, which is gone`;
    case 'extra_batch':
      return calls === 0 ? `${id}, an extra batch of unknown content` : `${requests} of ${id}, an extra batch that is not over`;
    case 'create_not_found':
      return `${requests} of batch file ${id}, if the creation of its batch that no look found took place`;
    case 'usage_beyond_lines':
      return `${requests} by which ${id} says it used more than its lines`;
    default:
      return why satisfies never;
  }
}
