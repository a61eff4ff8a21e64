import { type AttackContext, type Attacked, type AttackResult, inArena, takeTurn } from '../attack.ts';
import { findViolations } from '../check/find-violations.ts';
import { CONCURRENCY } from '../table.ts';
import { expectResult } from '../undisturbed.ts';

/** How batches miss the deadline, and whether they have answered something by then. */
const LATENESS = [
  { faults: [{ name: 'stuck', match: {}, do: { stuck: 'in_progress' } }], batchSeconds: 0.05, hasAnswered: true },
  { faults: [{ name: 'stuck', match: {}, do: { stuck: 'finalizing' } }], batchSeconds: 0.05, hasAnswered: true },
  { faults: [], batchSeconds: 600, hasAnswered: false },
] as const;
/** Several batches at a time: half of the queue is in each. */
const LIMITS = `concurrency: ${CONCURRENCY}, enqueued_tokens: 800`;
const LEAST_BATCHES = 2;
const DEADLINE_HOURS = 2;
const HOUR_MS = 3_600_000;
/** The poll after which the run ends, of all its batches together: by then each has done what it will. */
const POLLS = [15, 24] as const;
const POLL = 'send GET /v1/batches/';

/** Batches that do not finish by the deadline are replaced by live calls, whatever part of them was done. */
async function attack(context: AttackContext): Promise<AttackResult> {
  const { dice, reference } = context;
  const { faults, batchSeconds, hasAnswered } = takeTurn(context, LATENESS);
  const crash = { on: POLL, at: dice.between(...POLLS), moment: 'after' } as const;
  const flags = ['--deadline', `${DEADLINE_HOURS}h`, '--max-live-usd', '1'];
  return inArena({ ...context, lane: 'batch' }, { faults, simulator: { batchSeconds }, limits: LIMITS }, async (arena) => {
    try {
      // The clock is looked at once a minute: the run ends and is continued when the deadline has passed.
      const { exitCode } = await arena.live({ flags, plan: { crash } }).ended;
      const end = await arena.liveToEnd({ flags, plan: { clock: { at: 1, byMs: DEADLINE_HOURS * HOUR_MS } } });
      const evidence = arena.read(end);
      const isSwitched = evidence.events.some(({ type }) => type === 'lane-switched');
      const isMet = evidence.batches.length >= LEAST_BATCHES && evidence.bill.some(({ lane }) => lane === 'batch') === hasAnswered;
      // How a row got its answer differs between the lanes; the answer does not.
      const broken = [...findViolations(evidence, expectResult(reference.undisturbed.live.evidence.table, 0, true))];
      return { fired: exitCode === null && isSwitched && isMet ? ['the lane was switched'] : [], broken };
    } catch (error) {
      return { fired: ['the deadline passed'], broken: [(error as Error).message] };
    }
  });
}

export const DEADLINE: Attacked = {
  name: 'deadline',
  says: 'A run that switches lanes at its deadline does not send a row again that a batch has answered',
  attackedBy:
    'a run of several batches that is continued after its deadline, when a batch has answered some of its rows, all of them or none',
  minimum: 3,
  attack,
};
