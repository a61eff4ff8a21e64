import { isDeepStrictEqual } from 'node:util';
import type { RowSelection } from '../../core/row.ts';
import { formatSpent } from '../../output/format-numbers.ts';
import type { ContinuedRun } from '../../run/plan/plan-result.ts';
import { showSelection } from '../run-options.ts';

/** What a command asks of the run it continues. */
export interface AskedOfContinued {
  readonly isFresh: boolean;
  readonly selection: RowSelection;
}

/** One line: which run a command continues, with which flags it was run, and what they mean for what is sent now. */
export function describeContinued({ run, isFresh, isRetry, selection, cost }: ContinuedRun, asked: AskedOfContinued): string {
  const flags = [isFresh ? '--fresh' : '', showSelection(selection), isRetry ? 'retry' : ''].filter((flag) => flag !== '');
  const named = `${run}${flags.length === 0 ? '' : ` (${flags.join(', ')})`}`;
  const now = isDeepStrictEqual(selection, asked.selection) ? '' : `, now ${showSelection(asked.selection) || 'over all rows'}`;
  const spent = formatSpent(cost.nanoUsd, cost.unpricedAttempts);
  return `the unfinished run ${named}${now}, ${spent} spent so far: ${describeAnswers(isFresh, asked)}`;
}

/** Which answers count, and whether that can be changed. */
function describeAnswers(isFresh: boolean, asked: AskedOfContinued): string {
  if (isFresh) return 'its own answers are kept, those from before its --fresh do not count';
  return asked.isFresh ? '--fresh sends all of its rows again' : 'answers so far are kept; --fresh would send all of its rows again';
}
