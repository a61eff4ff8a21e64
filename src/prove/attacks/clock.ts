import { type AttackContext, type Attacked, type AttackResult, checkEnd, continueAndCheck, inArena } from '../attack.ts';
import { findWork } from '../undisturbed.ts';

const HOUR_MS = 3_600_000;
const JUMPS_MS = [-48 * HOUR_MS, -HOUR_MS, -600_000, 600_000, HOUR_MS, 48 * HOUR_MS];

async function attack(context: AttackContext): Promise<AttackResult> {
  const { dice, reference, lane } = context;
  const clock = { at: dice.between(1, findWork(reference.undisturbed[lane]).to), byMs: dice.pick(JUMPS_MS) };
  return inArena(context, {}, async (arena) => {
    const end = await arena.live({ plan: { clock } }).ended;
    const isDone = end.exitCode === 0 || end.exitCode === 3;
    const broken = isDone ? checkEnd(context, arena, { end, secondPayments: 0 }) : await continueAndCheck(context, arena, 0);
    const hung = end.isStuck ? ['clock: the run hung'] : [];
    return { fired: end.report.fired, broken: [...hung, ...broken] };
  });
}

export const CLOCK: Attacked = {
  name: 'clock',
  says: 'A jump of the clock changes nothing that is sent, paid or written',
  attackedBy: 'a wall clock that jumps by minutes, hours or days, in both directions, at the k-th step',
  minimum: 3,
  attack,
};
