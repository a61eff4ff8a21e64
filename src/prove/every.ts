import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Starter } from './arena.ts';
import { type AttackContext, type AttackResult, removeArena } from './attack.ts';
import { refuseAt } from './attacks/disk.ts';
import { crashAt } from './attacks/kill.ts';
import { createDice } from './dice.ts';
import { losePower } from './power-loss.ts';
import { CONCURRENCY, type LaneName } from './table.ts';
import { createThreads } from './threads.ts';
import { readReference } from './undisturbed.ts';

/** What was done at every step of the small run, in one lane. */
export interface EveryStep {
  readonly lane: LaneName;
  readonly attack: AttackName;
  /** Steps at which it happened. */
  readonly fired: number;
  /** Where a promise was broken: the step, and the first sentence. */
  readonly broken: readonly { readonly step: number; readonly why: string }[];
}

const ATTACKS = ['kill', 'torn tail', 'ENOSPC', 'EIO'] as const;
type AttackName = (typeof ATTACKS)[number];
const MOMENTS = ['before', 'during', 'after'] as const;
/** No run is that long: something goes on without an end. */
const MOST_STEPS = 1_000;
/** Two runs take not quite the same number of steps: the end is where so many in a row were not reached. */
const BEYOND_THE_END = 3;

/** Does each attack at every step of the small run, in both lanes. @param program the path of the command's main module */
export async function attackEveryStep(program: string, tell: (message: string) => void): Promise<readonly EveryStep[]> {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-prove-'));
  const starter: Starter = { program, threads: createThreads(program) };
  try {
    const reference = await readReference(starter, root);
    const lanes = await Promise.all(
      (['batch', 'live'] as const).map(async (lane) => {
        const done: EveryStep[] = [];
        for (const attack of ATTACKS) {
          done.push(await attackSteps(attack, { starter, reference, lane, root, tell }));
          tell(`${lane}, ${attack}: ${done.at(-1)?.fired} steps, ${done.at(-1)?.broken.length} broken`);
        }
        return done;
      }),
    );
    return lanes.flat();
  } finally {
    await starter.threads.close();
    fs.rmSync(root, { recursive: true, force: true });
  }
}

interface Steps extends Pick<AttackContext, 'starter' | 'reference' | 'lane'> {
  readonly root: string;
  readonly tell: (message: string) => void;
}

async function attackSteps(attack: AttackName, { root, tell, ...shared }: Steps): Promise<EveryStep> {
  const broken: { step: number; why: string }[] = [];
  let fired = 0;
  let beyond = 0;
  for (let step = 1; beyond < BEYOND_THE_END && step < MOST_STEPS; step += 1) {
    const folder = path.join(root, `${shared.lane}-${attack.replace(' ', '-')}-${step}`);
    const context = { ...shared, folder, number: step, dice: createDice(step), redisUrl: null };
    const result = await attackStep(attack, step, context);
    if (result.fired.length === 0) beyond += 1;
    else {
      beyond = 0;
      fired += 1;
    }
    for (const why of result.broken.slice(0, 1)) {
      broken.push({ step, why });
      tell(`${shared.lane}, ${attack} at step ${step}: ${why}`);
    }
    removeArena(folder);
  }
  return { lane: shared.lane, attack, fired, broken };
}

function attackStep(attack: AttackName, step: number, context: AttackContext): Promise<AttackResult> {
  const { lane, dice } = context;
  if (attack === 'ENOSPC' || attack === 'EIO') return refuseAt(context, { errno: attack, at: step, isLasting: step % 2 === 0 });
  const crash = { at: step, moment: MOMENTS[step % MOMENTS.length] as (typeof MOMENTS)[number] };
  const inFlight = lane === 'live' ? CONCURRENCY : 0;
  if (attack === 'kill') return crashAt(context, crash, { how: 'thread', secondPayments: inFlight });
  const leaves = step % 2 === 0 ? ('nothing' as const) : ('zeros' as const);
  return crashAt(context, crash, {
    how: 'thread',
    secondPayments: 2 * inFlight,
    afterwards: (folder, unsynced) => losePower(folder, unsynced, { dice, leaves }),
  });
}
