import { type AttackContext, type Attacked, type AttackResult, attackUntilFired, continueAndCheck, inArena, takeTurn } from '../attack.ts';
import type { LifeEnd } from '../life.ts';
import { EXPECTED_CALLS } from '../table.ts';

const ERRORS = ['ENOSPC', 'EIO', 'EMFILE'] as const;
/** Not counting the run's own reads, about this many operations can fail. */
const REFUSABLE: Readonly<Record<(typeof ERRORS)[number], RegExp>> = {
  ENOSPC: /^(open|write|sync|rename|link|mkdir) /,
  EIO: /^(write|sync|truncate|rename) /,
  EMFILE: /^open /,
};
const MOST_TRIES = 4;

function attack(context: AttackContext): Promise<AttackResult> {
  const { dice, lane, reference } = context;
  const errno = takeTurn(context, ERRORS);
  const isLasting = dice.next() < 0.5;
  let most = reference.undisturbed[lane].operations.filter((operation) => REFUSABLE[errno].test(operation)).length;
  return attackUntilFired(context, MOST_TRIES, (own) => {
    const at = dice.between(1, most);
    most = Math.ceil(most / 2);
    return refuseAt(own, { errno, at, isLasting });
  });
}

interface Refusal {
  readonly errno: string;
  readonly at: number;
  readonly isLasting: boolean;
}

/** Makes one operation fail, or all from there on, then restores the disk. */
export function refuseAt(context: AttackContext, refusal: Refusal): Promise<AttackResult> {
  return inArena(context, {}, async (arena) => {
    const end = await arena.live({ plan: { refuse: refusal } }).ended;
    const broken = [...findUntold(end, arena.simulator.bill().length)];
    // A disk that fails for good loses the calls in flight: that is reported.
    const isGone = refusal.isLasting && context.lane === 'live';
    broken.push(...(await continueAndCheck(context, arena, isGone ? EXPECTED_CALLS : 0)));
    return { fired: end.report.fired.slice(0, 1), broken };
  });
}

/** A disk error ends a run with one sentence, and with exit 2 only if nothing was paid. */
function* findUntold({ exitCode, stderr, isStuck }: LifeEnd, billed: number): Generator<string> {
  if (isStuck) yield 'disk: the run hung';
  else if (exitCode === null || ![0, 2, 3, 5].includes(exitCode)) yield `disk: exit ${exitCode}: ${stderr.trim()}`;
  if (exitCode === 2 && billed > 0) yield `disk: exit 2 says that nothing was spent, and ${billed} calls were billed`;
  if (/\.tmp-/.test(stderr)) yield `disk: names a file that nobody knows: ${stderr.trim()}`;
  if (/\n\s+at .*:\d+:\d+/.test(stderr)) yield `disk: a stack trace instead of a sentence: ${stderr.trim()}`;
}

export const DISK: Attacked = {
  name: 'disk',
  says: 'A failing disk ends the run with one sentence and loses no answer that can be kept: once it works again, the same command ends as if nothing had happened',
  attackedBy: 'ENOSPC, EIO or EMFILE at the k-th operation that can fail so, once or from there on',
  minimum: 10,
  attack,
};
