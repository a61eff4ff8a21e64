import { type AttackContext, type Attacked, type AttackResult, inArena, takeTurn } from '../attack.ts';
import { findViolations } from '../check/find-violations.ts';
import { expectResult } from '../undisturbed.ts';

/** Batches that do not end by the deadline are replaced by live calls, however much of them was done. */
async function attack(context: AttackContext): Promise<AttackResult> {
  const { dice, reference } = context;
  const seconds = dice.pick([0.3, 0.6, 1]);
  const stuck = takeTurn(context, [
    [],
    [{ name: 'stuck', match: {}, do: { stuck: 'in_progress' } }],
    [{ name: 'part', match: {}, do: { cancel: 0.5 } }],
  ]);
  return inArena({ ...context, lane: 'batch' }, { faults: stuck, simulator: { batchSeconds: 20 } }, async (arena) => {
    const flags = ['--deadline', `${seconds}s`, '--max-live-usd', '1'];
    const broken: string[] = [];
    let fired: readonly string[] = [];
    try {
      const end = await arena.liveToEnd({ flags });
      const evidence = arena.read(end);
      fired = evidence.events.filter(({ type }) => type === 'lane-switched').map(() => 'the lane was switched');
      // The way to an answer differs from lane to lane; how the row ends does not.
      broken.push(...findViolations(evidence, expectResult(reference.undisturbed.live.evidence.table, 0, true)));
    } catch (error) {
      broken.push((error as Error).message);
    }
    return { fired, broken };
  });
}

export const DEADLINE: Attacked = {
  name: 'deadline',
  says: 'A run that switches lanes at its deadline sends no row again that a batch has answered',
  attackedBy: 'batches that last beyond the deadline, get stuck, or are cancelled half done',
  minimum: 3,
  attack,
};
