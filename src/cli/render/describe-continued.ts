import { isDeepStrictEqual } from 'node:util';
import type { RowSelection } from '../../core/row.ts';
import { joinWords } from '../../core/wording/join-words.ts';
import { formatCount, formatSpent, formatThings } from '../../output/format-numbers.ts';
import type { ContinuedRun, OutdatedAnswers } from '../../run/plan/plan-result.ts';
import { showSelection } from '../run-options.ts';

/** What a command asks of the run it continues. */
export interface AskedOfContinued {
  readonly isFresh: boolean;
  readonly selection: RowSelection;
}

/** One line: which run a command continues, with which flags it was run, and what they mean for what is sent now. */
export function describeContinued(continues: ContinuedRun, asked: AskedOfContinued): string {
  const { run, isFresh, isRetry, selection, cost } = continues;
  const flags = [isFresh ? '--fresh' : '', showSelection(selection), isRetry ? 'retry' : ''].filter((flag) => flag !== '');
  const named = `${run}${flags.length === 0 ? '' : ` (${flags.join(', ')})`}`;
  const now = isDeepStrictEqual(selection, asked.selection) ? '' : `, now ${showSelection(asked.selection) || 'over all rows'}`;
  const spent = formatSpent(cost.nanoUsd, cost.unpricedAttempts);
  return `the unfinished run ${named}${now}, ${spent} spent so far: ${describeAnswers(continues, asked)}`;
}

/** Which answers count, and whether that can be changed. */
function describeAnswers({ isFresh, outdated }: ContinuedRun, asked: AskedOfContinued): string {
  if (asked.isFresh && !isFresh) return '--fresh sends all of its rows again';
  if (outdated === undefined)
    return isFresh
      ? 'its own answers are kept, those from before its --fresh do not count'
      : 'answers so far are kept; --fresh would send all of its rows again';
  return `${describeOutdated(outdated)}${isFresh ? '; nor do those from before its --fresh' : ''}`;
}

function describeOutdated({ changed, answers, of }: OutdatedAnswers): string {
  const because = changed.length === 0 ? '' : `${joinWords(changed)} changed, so `;
  if (answers === null) return `${because}answers to requests that are no longer made do not count`;
  const all = formatThings(of, 'paid answer');
  const lost = `its ${all} no longer ${of === 1 ? 'counts' : 'count'}`;
  const some = `${formatCount(answers)} of its ${all} no longer ${answers === 1 ? 'counts' : 'count'}`;
  const why = changed.length === 0 ? ': no row asks for them now' : '';
  return `${because}${answers === of ? lost : some}${why}; undo the change and they count again`;
}
