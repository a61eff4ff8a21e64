import { createInterface } from 'node:readline/promises';
import { UsageError } from '../core/errors.ts';
import { formatDollars } from '../output/format-numbers.ts';
import type { Spending } from '../run/options.ts';
import type { Plan } from '../run/plan/plan-result.ts';
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
  const cost = plan.cost[options.priced];
  const asked = rows.new + rows.changed + rows.again;
  const note = plan.priceNote === undefined ? '' : ` (${plan.priceNote})`;
  const estimate = cost === null ? 'at an unknown price' : `about ${formatDollars(cost.expectedNanoUsd)}${note}`;
  const parts = [
    `${rows.new} new`,
    `${rows.changed} changed`,
    `${rows.again} again`,
    `${rows.inFlight} with the provider`,
    `${rows.reused} reused`,
    `${rows.duplicate} duplicate`,
  ];
  if (!options.isQuiet) say(`${parts.filter((part) => !part.startsWith('0 ')).join(', ') || 'no rows'}: ${asked} requests, ${estimate}`);
  if (asked === 0 || options.isAgreed || options.isSimulated) return;
  if (cost !== null && cost.expectedNanoUsd <= options.overNanoUsd) return;
  const why =
    cost === null
      ? `the price of ${plan.model} is unknown`
      : `this is estimated at ${estimate.replace('about ', '')}, above confirm_over (${formatDollars(options.overNanoUsd)})`;
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) throw new UsageError(`${why}: add --yes to go on without being asked`);
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await dialogue.question(`${why}. Go on? [y/N] `);
  dialogue.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new UsageError('not confirmed');
}
