import fs from 'node:fs';
import path from 'node:path';
import type { Arena } from '../arena.ts';
import {
  type AttackContext,
  type Attacked,
  type AttackResult,
  checkEnd,
  continueAndCheck,
  inArena,
  takeTurn,
  waitUntil,
} from '../attack.ts';
import type { StepPlan } from '../seam/plan.ts';
import { CONCURRENCY } from '../table.ts';
import { findWork } from '../undisturbed.ts';

/** Its own place: like a container on a shared disk. */
const PLACES = { first: '4026530001', second: '4026530002' };

const isRequest = (operation: string) => operation.startsWith('send');

/** Where a run is stopped, and when it wakes. */
interface Stop {
  readonly freeze: StepPlan;
  /** It wakes at the latest when the other one has ended. @param token of the lock while it held it */
  readonly wakesWhen: (arena: Arena, token: string | null) => boolean;
  readonly faults: readonly unknown[];
}

/** The first calls last longer than it takes to wake up, so that no answer has been stored yet. */
const SLOW_CALLS = { name: 'slow', match: { method: 'POST', path: '/v1/chat/completions' }, times: CONCURRENCY, do: { delayMs: 1_500 } };

/** While it opens the file for its answers, which the other one has opened meanwhile, and which is still empty. */
const WHILE_OPENING: Stop = {
  freeze: { on: 'open live', at: 1 },
  wakesWhen: ({ places }) => listNames(path.join(places.state, 'responses')).some((name) => name.startsWith('live')),
  faults: [SLOW_CALLS],
};

function listNames(folder: string): readonly string[] {
  return fs.existsSync(folder) ? fs.readdirSync(folder) : [];
}

/** Anywhere; it wakes as soon as it has been replaced, or late. */
function stopAnywhere(context: AttackContext): Stop {
  const isReplaced: Stop['wakesWhen'] = (arena, token) => readToken(arena) !== token;
  return { freeze: { at: chooseStep(context) }, wakesWhen: context.dice.next() < 0.5 ? () => false : isReplaced, faults: [] };
}

/** A step that is not a request: between the last check of the lock and the socket nothing can be fenced. */
function chooseStep({ dice, reference, lane }: AttackContext): number {
  const { from, to } = findWork(reference.undisturbed[lane]);
  const work = reference.undisturbed[lane].operations.slice(from - 1, to);
  const steps = work.flatMap((operation, index) => (operation.startsWith('send') ? [] : [from + index]));
  return dice.pick(steps);
}

function readToken({ places }: Arena): string | null {
  try {
    return (JSON.parse(fs.readFileSync(path.join(places.state, 'lock'), 'utf8')) as { token: string }).token;
  } catch {
    return null;
  }
}

/** A stopped run is replaced by another one elsewhere; woken during it or after it, it must send nothing more. */
function wake(context: AttackContext): Promise<AttackResult> {
  const isOpening = takeTurn(context, [false, false, true]);
  return isOpening ? wakeAt({ ...context, lane: 'live' }, WHILE_OPENING) : wakeAt(context, stopAnywhere(context));
}

async function wakeAt(context: AttackContext, { freeze, wakesWhen, faults }: Stop): Promise<AttackResult> {
  const { dice, lane } = context;
  const how = dice.pick(['thread', 'thread', 'process'] as const);
  return inArena(context, { faults }, async (arena) => {
    const first = arena.live({ how, plan: { freeze, place: PLACES.first } });
    if (!(await first.frozen)) return { fired: [], broken: await continueAndCheck(context, arena, 0) };
    const token = readToken(arena);
    const second = arena.live({ plan: { place: PLACES.second }, flags: ['--if-running', 'wait'] });
    await waitUntil(() => wakesWhen(arena, token), second);
    first.wake();
    const [one, two] = await Promise.all([first.ended, second.ended]);
    const broken: string[] = [];
    const sent = findFollowing(one.report.operations, freeze).filter((operation) => operation.startsWith('send POST'));
    if (sent.length > 0) broken.push(`lock: the run that was displaced sent something: ${sent.join(', ')}`);
    if (one.exitCode !== 6) broken.push(`lock: the run that was displaced ended with ${one.exitCode}: ${one.stderr.trim()}`);
    if (two.exitCode !== 0 && two.exitCode !== 3)
      broken.push(`lock: the run that took its place ended with ${two.exitCode}: ${two.stderr.trim()}`);
    // It may not even remove the file it was writing: the next run does.
    else broken.push(...(await continueAndCheck(context, arena, lane === 'live' ? CONCURRENCY : 0)));
    return { fired: ['a holder was displaced'], broken };
  });
}

/** What came behind a step. */
function findFollowing(operations: readonly string[], { on = '', at }: StepPlan): readonly string[] {
  const places = operations.flatMap((operation, index) => (operation.startsWith(on) ? [index] : []));
  return operations.slice((places[at - 1] ?? operations.length) + 1);
}

/** While one run works, another one is started next to it, here or elsewhere. */
async function race(context: AttackContext): Promise<AttackResult> {
  const { dice } = context;
  const freeze = { at: chooseStep(context) };
  // The pid of a thread is meaningless to a process.
  const how = dice.pick(['thread', 'thread', 'process'] as const);
  return inArena(context, {}, async (arena) => {
    const first = arena.live({ how, plan: { freeze } });
    if (!(await first.frozen)) return { fired: [], broken: await continueAndCheck(context, arena, 0) };
    const second = await arena.live({ how }).ended;
    const broken: string[] = [];
    if (second.exitCode !== 6) broken.push(`lock: the second run ended with ${second.exitCode}: ${second.stderr.trim()}`);
    if (second.report.operations.some(isRequest)) broken.push('lock: the second run sent something');
    first.wake();
    const end = await first.ended;
    if (end.exitCode !== 0 && end.exitCode !== 3) broken.push(`lock: the first run ended with ${end.exitCode}: ${end.stderr.trim()}`);
    else broken.push(...checkEnd(context, arena, { end, secondPayments: 0 }));
    return { fired: ['two runs were there at once'], broken };
  });
}

export const HOLDERS: readonly Attacked[] = [
  {
    name: 'woken',
    says: 'A run that was stopped and replaced by another one sends nothing more when it wakes up',
    attackedBy:
      'a run stopped at its k-th step (SIGSTOP), replaced by one in another pid namespace, and woken during that run, also between its first call and its first answer, or after it',
    minimum: 3,
    attack: wake,
  },
  {
    name: 'two',
    says: 'Two runs of one job never work at the same time: the second ends with 6 and sends nothing',
    attackedBy: 'a second run, in the same process or another one, at the k-th step of the first',
    minimum: 3,
    attack: race,
  },
];
