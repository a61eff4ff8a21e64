import { createInterface } from 'node:readline/promises';
import { UsageError } from '../core/errors.ts';
import { formatCount, formatDollars, formatThings } from '../output/format-numbers.ts';
import type { CostRange } from '../run/plan/cost.ts';
import type { Plan } from '../run/plan/plan-result.ts';
import { countAsked, findReasonToAsk, type Spending } from '../run/plan/spending.ts';
import { type AskedOfContinued, describeContinued } from './render/describe-continued.ts';
import { wrapText } from './render/wrap-text.ts';
import { columnsOf, say } from './say.ts';

export interface ConfirmOptions extends Spending {
  /** `--yes`. */
  readonly isAgreed: boolean;
  readonly isSimulated: boolean;
  readonly isQuiet: boolean;
  /** What is asked of the run, if it continues one. */
  readonly asked: AskedOfContinued;
}

/** Shows what a run would send and cost; asks if that exceeds what the job allows without asking. @throws UsageError if the answer is no */
export async function confirmSpending(plan: Plan, options: ConfirmOptions): Promise<void> {
  const { rows, continues, answeredBefore = 0 } = plan;
  const cost = plan.cost[options.priced];
  const counts = [
    [rows.new, 'new'],
    [rows.changed, 'changed'],
    [rows.again, answeredBefore === 0 ? 'again' : `again (${formatCount(answeredBefore)} of them answered before, and paid again)`],
    [rows.inFlight, 'with the provider'],
    [rows.answered, 'answered'],
    [rows.reused, 'reused'],
    [rows.duplicate, 'duplicate'],
    [rows.failed, 'failed before'],
    [rows.skipped, 'skipped'],
  ] as const;
  const parts = counts.flatMap(([count, word]) => (count === 0 ? [] : [`${formatCount(count)} ${word}`]));
  if (continues !== undefined) say(`Continues ${describeContinued(continues, options.asked)}`);
  if (!options.isQuiet) say(`${parts.join(', ') || 'no rows'}: ${formatThings(countAsked(plan), 'request')}, ${describeCost(cost)}`);
  const why = options.isAgreed || options.isSimulated ? null : findReasonToAsk(plan, options);
  if (why === null) return;
  if (!canAsk()) throw new UsageError(`${why}: add --yes to continue without being asked`);
  if (!(await agreeTo(why))) throw new UsageError('not confirmed');
}

/** Whether to work with a copy of a state directory: because of `--adopt-copy`, or because the user agrees. */
export async function confirmCopy(question: string, isAgreed: boolean): Promise<boolean> {
  return isAgreed || (canAsk() && agreeTo(question));
}

/** Whether somebody is there to answer. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** The question, broken between words if the terminal is narrow. */
export function layOutQuestion(why: string, columns: number | null): string {
  // A first word that may be a name stays as it is.
  const sentence = why.replace(/^[a-z]+(?= )/, (word) => word.charAt(0).toUpperCase() + word.slice(1));
  const question = `${sentence}. Go on? [y/N]`;
  // The answer begins after a blank.
  return `${columns === null ? question : wrapText(question, columns - 1)} `;
}

/** Asks the user, who has to say yes. */
export async function agreeTo(why: string): Promise<boolean> {
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await dialogue.question(layOutQuestion(why, columnsOf(process.stderr)));
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    // For Ctrl-C and Ctrl-D, which readline handles itself.
    if ((error as Error).name !== 'AbortError') throw error;
    process.stderr.write('\n');
    return false;
  } finally {
    dialogue.close();
  }
}

function describeCost(cost: CostRange | null): string {
  return cost === null ? 'at an unknown price' : `about ${formatDollars(cost.expectedNanoUsd)}`;
}
