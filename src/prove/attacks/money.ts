import { type AttackContext, type Attacked, type AttackResult, attackUntilFired, continueAndCheck, inArena, takeTurn } from '../attack.ts';
import { priceBill } from '../check/calls.ts';
import type { LifeEnd } from '../life.ts';

/** Shares of the cost: for nothing; for the upper bound of one call but not of all; for all calls; for all their upper bounds, or not quite. */
const BUDGETS = [
  [0.1, 0.4],
  [0.8, 0.82],
  [1, 1.3],
  [2, 8],
] as const;

/** A budget that was enough is halved, as often as this. */
const MOST_TRIES = 5;

/** A run with less money than it needs stops in time, and continues with more. */
function reachBudget(context: AttackContext): Promise<AttackResult> {
  const { dice, reference, lane } = context;
  const total = reference.undisturbed[lane].evidence.summary.cost.nanoUsd as number;
  // Neighbours are in different lanes, so that each lane gets each share.
  const [least, most] = takeTurn({ ...context, number: context.number >> 1 }, BUDGETS);
  let capNanoUsd = 2 * Math.round(total * (least + (most - least) * dice.next()));
  return attackUntilFired(context, MOST_TRIES, (own) => {
    capNanoUsd = Math.ceil(capNanoUsd / 2);
    return runWith(capNanoUsd, own);
  });
}

function runWith(capNanoUsd: number, context: AttackContext): Promise<AttackResult> {
  return inArena(context, {}, async (arena) => {
    const end = await arena.live({ flags: ['--max-usd', (capNanoUsd / 1e9).toFixed(9)] }).ended;
    const spent = priceBill(arena.simulator.bill() as never);
    const broken = spent > capNanoUsd ? [`budget: ${spent} nano-dollars were billed, ${capNanoUsd} were allowed`] : [];
    const isStopped = end.exitCode === 5 || end.exitCode === 2;
    if (!isStopped && end.exitCode !== 0 && end.exitCode !== 3) broken.push(`budget: exit ${end.exitCode}: ${end.stderr.trim()}`);
    broken.push(...(await continueAndCheck(context, arena, 0)));
    return { fired: isStopped ? [`stopped at ${spent} of ${capNanoUsd}`] : [], broken };
  });
}

/** An account that refuses during a run stops it at once, with the exit code that says why. */
async function refuseAccount(context: AttackContext): Promise<AttackResult> {
  const { dice, lane } = context;
  const [error, exitCode] = takeTurn(context, [
    ['insufficient_quota', 5],
    ['billing_hard_limit_reached', 5],
    ['invalid_api_key', 4],
  ] as const);
  const match =
    lane === 'batch'
      ? { method: 'POST', path: '/v1/batches', nth: dice.between(1, 2) }
      : { method: 'POST', path: '/v1/chat/completions', nth: dice.between(1, 8) };
  return inArena(context, { faults: [{ name: error, match, do: { error } }] }, async (arena) => {
    const end = await arena.live().ended;
    const broken = end.exitCode === exitCode ? [] : [`account: ${error} ends with ${describeCode(end)}, not with ${exitCode}`];
    broken.push(...(await continueAndCheck(context, arena, 0)));
    return { fired: arena.simulator.faultsFired().flatMap(({ name, fired }) => (name === error && fired > 0 ? [name] : [])), broken };
  });
}

function describeCode({ exitCode, isStuck, stderr }: LifeEnd): string {
  return isStuck ? 'nothing: it hung' : `${exitCode}: ${stderr.trim()}`;
}

export const MONEY: readonly Attacked[] = [
  {
    name: 'budget',
    says: 'Never more is billed than the budget allows; with more money the same run continues',
    attackedBy: 'budgets from a tenth of the cost to eight times as much',
    minimum: 4,
    attack: reachBudget,
  },
  {
    name: 'account',
    says: 'An account without credit and a refused key stop the run at once (exit 5 and 4), and it continues once that is fixed',
    attackedBy: 'insufficient_quota, a hard limit or a refused key at the n-th create or call',
    minimum: 3,
    attack: refuseAccount,
  },
];
