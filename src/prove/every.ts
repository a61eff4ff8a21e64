import fs from 'node:fs';
import path from 'node:path';
import { makeTemporaryFolder } from '../core/disk/make-temporary-folder.ts';
import { type AttackContext, type AttackResult, removeArena } from './attack.ts';
import { refuseAt } from './attacks/disk.ts';
import { crashAt } from './attacks/kill.ts';
import { createDice } from './dice.ts';
import { losePower } from './power-loss.ts';
import { createStarter, type Starter } from './starter.ts';
import { CONCURRENCY, type LaneName } from './table.ts';
import { type Reference, readReference } from './undisturbed.ts';

/** One attack, in one lane. */
export interface EveryPart {
  readonly lane: LaneName;
  readonly attack: 'kill' | 'torn tail' | 'ENOSPC' | 'EIO';
}

/** What was done at every step of the small run. */
export interface EveryStep extends EveryPart {
  /** Steps at which the attack fired. */
  readonly fired: number;
  /** Where a promise was broken: the step, the first sentence, and the folder kept. */
  readonly broken: readonly { readonly step: number; readonly why: string; readonly folder: string }[];
  readonly seconds: number;
}

export interface EveryOptions {
  /** The path of the command's main module. */
  readonly program: string;
  readonly parts: readonly EveryPart[];
  /** Only this step, from 1; null: all of them. */
  readonly step: number | null;
  readonly signal: AbortSignal;
  readonly tell: (message: string) => void;
  /** Called with each finished part; not with an interrupted one. */
  readonly keep: (done: EveryStep) => void;
}

export const EVERY_PART: readonly EveryPart[] = (['kill', 'torn tail', 'ENOSPC', 'EIO'] as const).flatMap((attack) =>
  (['batch', 'live'] as const).map((lane) => ({ lane, attack })),
);
const MOMENTS = ['before', 'during', 'after'] as const;
/** No run is this long: something never ends. */
const MOST_STEPS = 1_000;
/** Runs do not always take the same number of steps: the end is reached after this many missed steps in a row. */
const BEYOND_THE_END = 3;
const ABREAST = 2;
const TELL_EVERY_STEPS = 25;

/** Does each attack at every step of the small run. The folder of a broken one is kept. */
export async function attackEveryStep(options: EveryOptions): Promise<void> {
  const root = makeTemporaryFolder('rowmill-prove-');
  const starter = createStarter(options.program);
  let isKept = false;
  try {
    const reference = await readReference(starter, root);
    const parts = [...options.parts];
    const work = async () => {
      for (let part = parts.shift(); part !== undefined && !options.signal.aborted; part = parts.shift()) {
        const done = await attackSteps(part, { starter, reference, root, options });
        isKept ||= done.broken.length > 0;
        if (!options.signal.aborted) options.keep(done);
      }
    };
    await Promise.all(Array.from({ length: ABREAST }, work));
  } finally {
    await starter.close();
    if (!isKept) fs.rmSync(root, { recursive: true, force: true });
  }
}

interface Stage {
  readonly starter: Starter;
  readonly reference: Reference;
  readonly root: string;
  readonly options: EveryOptions;
}

async function attackSteps({ lane, attack }: EveryPart, { starter, reference, root, options }: Stage): Promise<EveryStep> {
  const startedAt = performance.now();
  const broken: EveryStep['broken'][number][] = [];
  let fired = 0;
  let beyond = 0;
  const last = options.step ?? MOST_STEPS;
  for (let step = options.step ?? 1; beyond < BEYOND_THE_END && step <= last && !options.signal.aborted; step += 1) {
    const folder = path.join(root, `${lane}-${attack.replace(' ', '-')}-${step}`);
    const context = { starter, reference, lane, folder, number: step, dice: createDice(step), redisUrl: null };
    const result = await attackStep(attack, step, context);
    if (result.fired.length === 0) beyond += 1;
    else {
      beyond = 0;
      fired += 1;
    }
    const [why] = result.broken;
    if (why === undefined) removeArena(folder);
    else {
      broken.push({ step, why, folder });
      options.tell(`${lane}, ${attack} at step ${step}: ${why}; kept: ${folder}`);
    }
    if (step % TELL_EVERY_STEPS === 0) options.tell(`${lane}, ${attack}: ${step} steps, ${broken.length} broken`);
  }
  return { lane, attack, fired, broken, seconds: Math.round((performance.now() - startedAt) / 1000) };
}

function attackStep(attack: EveryPart['attack'], step: number, context: AttackContext): Promise<AttackResult> {
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
