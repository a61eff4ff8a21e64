import { createInterface } from 'node:readline/promises';
import { UsageError } from '../core/errors.ts';
import { formatDollars } from '../output/format-numbers.ts';
import type { CostRange } from '../run/plan/cost.ts';
import type { Plan } from '../run/plan/plan-result.ts';
import { countAsked, findReasonToAsk, type Spending } from '../run/plan/spending.ts';
import { say } from './say.ts';

export interface ConfirmOptions extends Spending {
  /** `--yes`. */
  readonly isAgreed: boolean;
  readonly isSimulated: boolean;
  readonly isQuiet: boolean;
}

/** Says what a run would send and cost; asks when that is more than the job allows without asking. @throws UsageError when the answer is no */
export async function confirmSpending(plan: Plan, options: ConfirmOptions): Promise<void> {
  const { rows } = plan;
  const cost = plan.cost[options.lane];
  const parts = [
    `${rows.new} new`,
    `${rows.changed} changed`,
    `${rows.again} again`,
    `${rows.inFlight} with the provider`,
    `${rows.reused} reused`,
    `${rows.duplicate} duplicate`,
  ];
  if (!options.isQuiet)
    say(`${parts.filter((part) => !part.startsWith('0 ')).join(', ') || 'no rows'}: ${countAsked(plan)} requests, ${describeCost(cost)}`);
  const why = options.isAgreed || options.isSimulated ? null : findReasonToAsk(plan, options);
  if (why === null) return;
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) throw new UsageError(`${why}: add --yes to go on without being asked`);
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await dialogue.question(`${why}. Go on? [y/N] `);
  dialogue.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new UsageError('not confirmed');
}

function describeCost(cost: CostRange | null): string {
  return cost === null ? 'at an unknown price' : `about ${formatDollars(cost.expectedNanoUsd)}`;
}
