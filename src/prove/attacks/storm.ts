import { type AttackContext, type Attacked, type AttackResult, continueAndCheck, inArena } from '../attack.ts';
import { CONCURRENCY } from '../table.ts';
import { findWork } from '../undisturbed.ts';
import { drawTroubles } from './answers.ts';

const TROUBLES = 2;
const CRASHES = 2;

/** Several things at once: answers go wrong in two ways, and the run that is to cope with it ends twice before its time. */
async function attack(context: AttackContext): Promise<AttackResult> {
  const { dice, lane, reference } = context;
  const troubles = drawTroubles(context, TROUBLES);
  const steps = findWork(reference.undisturbed[lane]).to;
  const flags = troubles.flatMap((trouble) => trouble.flags ?? []);
  return inArena(context, { faults: troubles.flatMap(({ faults }) => faults) }, async (arena) => {
    const crashed: string[] = [];
    for (let crashes = 0; crashes < CRASHES; crashes += 1) {
      const crash = { at: dice.between(1, steps), moment: dice.pick(['before', 'during', 'after'] as const) };
      const { exitCode, isStuck, report } = await arena.live({ plan: { crash }, flags }).ended;
      if (isStuck) return { fired: report.fired, broken: ['storm: the run hung'] };
      if (exitCode === null) crashed.push(...report.fired);
    }
    const mayRepeat = troubles.reduce((sum, { secondPayments }) => sum + secondPayments, 0);
    const broken = await continueAndCheck(context, arena, mayRepeat + (lane === 'live' ? CRASHES * CONCURRENCY : 0), { flags });
    const met = arena.simulator.faultsFired().filter(({ name, fired }) => name !== 'row' && fired > 0);
    return { fired: crashed.length > 0 && met.length > 0 ? [...crashed, ...met.map(({ name }) => name)] : [], broken };
  });
}

export const STORM: Attacked = {
  name: 'storm',
  says: 'The same holds of troubles that come together',
  attackedBy: 'a run that ends twice before its time, while answers are lost, late or garbled in two ways',
  minimum: 3,
  attack,
};
