import { type AttackContext, type Attacked, type AttackResult, continueAndCheck, inArena, waitUntil } from '../attack.ts';
import { CONCURRENCY } from '../table.ts';

/** The job's retries for an invalid answer. */
const ATTEMPTS = 2;
/** One more than the attempts of a row. */
const KILLS = ATTEMPTS + 1;

/** Interruptions of our own process are not failures of a row, however many there are. */
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
      if ((await life.ended).exitCode === null) fired.push('a call was in flight');
    }
    const broken = await continueAndCheck(inLive, arena, KILLS * CONCURRENCY);
    return { fired: fired.length === KILLS ? fired : [], broken };
  });
}

const CALLS = 'POST /v1/chat/completions';

export const AGAIN: Attacked = {
  name: 'again',
  says: 'Kills alone never fail a row, however often they hit the same calls; each attempt is reported',
  attackedBy: 'three consecutive kills during the same calls, in a job that allows two attempts',
  minimum: 3,
  attack,
};
