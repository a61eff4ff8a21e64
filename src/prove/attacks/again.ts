import { type AttackContext, type Attacked, type AttackResult, continueAndCheck, inArena, waitUntil } from '../attack.ts';
import { CONCURRENCY } from '../table.ts';

/** The job's, for one invalid answer. */
const ATTEMPTS = 2;
/** As often as a row may be tried, and once more. */
const KILLS = ATTEMPTS + 1;

/** Interruptions of ours are no failures of a row, however many there are. */
async function attack(context: AttackContext): Promise<AttackResult> {
  const inLive = { ...context, lane: 'live' as const };
  return inArena(inLive, { simulator: { latencyMs: 400 }, job: [`retry: { attempts: ${ATTEMPTS} }`] }, async (arena) => {
    const fired: string[] = [];
    for (let kills = 0; kills < KILLS; kills += 1) {
      const life = arena.live({ how: 'thread' });
      const countCalls = () => arena.simulator.requests()[CALLS] ?? 0;
      const before = countCalls();
      await waitUntil(() => countCalls() > before, life);
      life.kill();
      if ((await life.ended).exitCode === null) fired.push('a call was under way');
    }
    const broken = await continueAndCheck(inLive, arena, KILLS * CONCURRENCY);
    return { fired: fired.length === KILLS ? fired : [], broken };
  });
}

const CALLS = 'POST /v1/chat/completions';

export const AGAIN: Attacked = {
  name: 'again',
  says: 'Kills alone fail no row, however often the same calls are hit; each try is told',
  attackedBy: 'three kills in a row, where a row is tried twice, while the same calls are under way',
  minimum: 3,
  attack,
};
