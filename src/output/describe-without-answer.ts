import type { Cause } from '../core/outcome.ts';
import type { Summary } from '../core/summary.ts';
import { formatCount, formatDollars } from './format-numbers.ts';

/** Less than this part of what a run cost is not worth a line. */
const WORTH_SAYING = 0.05;

const NAMES: Readonly<Partial<Record<Cause, string>>> = { truncated: 'cut at the output limit', filtered: 'cut by the content filter' };

/** What attempts cost that gave no answer, and the setting that helps: `$0.0016 for 107 answers cut at the output limit`; null where it is little. */
export function describeWithoutAnswer({ withoutAnswer = {}, cost }: Pick<Summary, 'withoutAnswer' | 'cost'>): string | null {
  const causes = Object.entries(withoutAnswer).sort(([, a], [, b]) => b.nanoUsd - a.nanoUsd);
  const nanoUsd = causes.reduce((sum, [, { nanoUsd: part }]) => sum + part, 0);
  if (nanoUsd === 0 || nanoUsd < cost.nanoUsd * WORTH_SAYING) return null;
  const parts = causes.map(([cause, { attempts }]) => `${formatCount(attempts)} ${NAMES[cause as Cause] ?? cause}`);
  const remedy = withoutAnswer.truncated === undefined ? '' : '; a larger params.max_output_tokens saves asking twice';
  return `${formatDollars(nanoUsd)} for answers that do not count (${parts.join(', ')})${remedy}`;
}
