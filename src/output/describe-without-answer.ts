import type { Cause } from '../core/outcome.ts';
import type { Summary } from '../core/summary.ts';
import { formatCount, formatDollars } from './format-numbers.ts';

/** A smaller share of the run's cost is not worth a line. */
const WORTH_SAYING = 0.05;

const NAMES: Readonly<Partial<Record<Cause, string>>> = { truncated: 'cut at the output limit', filtered: 'cut by the content filter' };

/** The cost of attempts without a usable answer, and the setting that helps: `$0.0016 for answers that do not count (107 cut at the output limit)…`; null if it is small. */
export function describeWithoutAnswer({ withoutAnswer = {}, cost }: Pick<Summary, 'withoutAnswer' | 'cost'>): string | null {
  const causes = Object.entries(withoutAnswer).sort(([, a], [, b]) => b.nanoUsd - a.nanoUsd);
  const nanoUsd = causes.reduce((sum, [, { nanoUsd: part }]) => sum + part, 0);
  if (nanoUsd === 0 || nanoUsd < cost.nanoUsd * WORTH_SAYING) return null;
  const parts = causes.map(([cause, { attempts }]) => `${formatCount(attempts)} ${NAMES[cause as Cause] ?? cause}`);
  const remedy = withoutAnswer.truncated === undefined ? '' : '; a larger params.max_output_tokens saves asking twice';
  return `${formatDollars(nanoUsd)} for answers that do not count (${parts.join(', ')})${remedy}`;
}
