import fs from 'node:fs';
import path from 'node:path';
import { makeTemporaryFolder } from '../core/disk/make-temporary-folder.ts';
import { type Attacked, type AttackResult, removeArena } from './attack.ts';
import { AGAIN } from './attacks/again.ts';
import { ANSWERS } from './attacks/answers.ts';
import { ASKED } from './attacks/asked.ts';
import { CLOCK } from './attacks/clock.ts';
import { DEADLINE } from './attacks/deadline.ts';
import { DISK } from './attacks/disk.ts';
import { HOLDERS } from './attacks/holders.ts';
import { CRASH, KILL } from './attacks/kill.ts';
import { LIMITS } from './attacks/limits.ts';
import { LISTS } from './attacks/lists.ts';
import { MONEY } from './attacks/money.ts';
import { POWER } from './attacks/power.ts';
import { REDIS } from './attacks/redis.ts';
import { STORM } from './attacks/storm.ts';
import { createDice } from './dice.ts';
import { requireEmptyRedis } from './redis-link.ts';
import { createStarter, type Starter } from './starter.ts';
import { type Reference, readReference } from './undisturbed.ts';

/** All promises, in the order in which they are printed. */
export const PROMISES: readonly Attacked[] = [
  KILL,
  CRASH,
  AGAIN,
  POWER,
  DISK,
  ...ANSWERS,
  STORM,
  ...LISTS,
  CLOCK,
  ...HOLDERS,
  DEADLINE,
  ...MONEY,
  LIMITS,
  ...ASKED,
  REDIS,
];

export interface ProveOptions {
  /** The path of the command's main module. */
  readonly program: string;
  readonly seconds: number;
  readonly seed: number;
  /** The names of the promises to attack. */
  readonly names: readonly string[];
  readonly redisUrl: string | null;
  /** Ends all attacks at once; what they came to until then counts. */
  readonly signal: AbortSignal;
  /** Called every few seconds with what is being done. */
  readonly tell: (message: string) => void;
}

/** The result for one promise. */
export interface Proved {
  readonly name: string;
  readonly attacks: number;
  /** Interruptions and faults that really happened, at most one per attack. */
  readonly fired: number;
  readonly broken: number;
  readonly seconds: number;
  readonly breaks: readonly Break[];
  /** Seeds whose attack did not fire. */
  readonly vain: readonly number[];
}

/** One attack that broke a promise. */
export interface Break {
  readonly seed: number;
  readonly violations: readonly string[];
  /** The folder with everything it left. */
  readonly folder: string;
}

export interface Proof {
  readonly promises: readonly Proved[];
  readonly seconds: number;
}

/** These keep two processors busy: each waits for some of its time. */
const ABREAST = 3;
const TELL_EVERY_MS = 4_000;

interface Count {
  attacks: number;
  fired: number;
  ms: number;
  readonly breaks: Break[];
  readonly vain: number[];
}

/** Attacks each promise at least as often as it requires, then all in turn until the time is over. */
export async function prove(options: ProveOptions): Promise<Proof> {
  const startedAt = performance.now();
  if (options.redisUrl !== null) await requireEmptyRedis(options.redisUrl);
  const root = makeTemporaryFolder('rowmill-prove-');
  const starter = createStarter(options.program);
  const stop = () => void starter.close();
  options.signal.addEventListener('abort', stop);
  if (options.signal.aborted) stop();
  const promises = PROMISES.filter(({ name }) => options.names.includes(name) && (name !== REDIS.name || options.redisUrl !== null));
  const counts = new Map<string, Count>(promises.map(({ name }) => [name, { attacks: 0, fired: 0, ms: 0, breaks: [], vain: [] }]));
  const countOf = ({ name }: Attacked) => counts.get(name) as Count;
  const elapsedSeconds = () => (performance.now() - startedAt) / 1000;
  const tellAll = () => {
    const all = [...counts.values()];
    const sum = (read: (count: Count) => number) => all.reduce((total, count) => total + read(count), 0);
    options.tell(
      `${Math.round(elapsedSeconds())} s: ${sum((count) => count.attacks)} attacks, ${sum((count) => count.breaks.length)} broke a promise`,
    );
  };
  let isUnfit = false;
  const telling = setInterval(tellAll, TELL_EVERY_MS);
  try {
    const reference = await readReference(starter, root);
    let begun = new Map<string, number>();
    /** The promise that is furthest from its minimum; afterwards the one least attacked. Null when time is over. */
    const [waiting, working] = [promises.filter(({ waits }) => waits === true), promises.filter(({ waits }) => waits !== true)];
    /** What is attacked beside others does not make them wait at the end. */
    const lastsSeconds = (promise: Attacked) => {
      const { attacks, ms } = countOf(promise);
      return promise.waits === true && working.length > 0 ? ms / Math.max(1, attacks) / 1000 : 0;
    };
    const choose = (among: readonly Attacked[]): Attacked | null => {
      if (options.signal.aborted) return null;
      const share = (promise: Attacked) => (begun.get(promise.name) ?? 0) / promise.minimum;
      const [next] = among.toSorted((a, b) => share(a) - share(b));
      if (next === undefined) return null;
      return share(next) >= 1 && elapsedSeconds() + lastsSeconds(next) >= options.seconds ? null : next;
    };
    const work = async (among: readonly Attacked[]) => {
      for (let promise = choose(among); promise !== null; promise = choose(among)) {
        const number = begun.get(promise.name) ?? 0;
        begun = begun.set(promise.name, number + 1);
        await attackOnce(promise, { starter, reference, root, options, seed: options.seed + number, count: countOf(promise) });
      }
    };
    await Promise.all([work(waiting), ...Array.from({ length: ABREAST }, () => work(working))]);
  } catch (error) {
    if (!options.signal.aborted) {
      isUnfit = true;
      throw error;
    }
  } finally {
    clearInterval(telling);
    options.signal.removeEventListener('abort', stop);
    await starter.close();
    const isKept = isUnfit || [...counts.values()].some(({ breaks }) => breaks.length > 0);
    if (!isKept) fs.rmSync(root, { recursive: true, force: true });
  }
  return {
    seconds: elapsedSeconds(),
    promises: promises.map((promise) => {
      const { attacks, fired, breaks, vain, ms } = countOf(promise);
      return { name: promise.name, attacks, fired, broken: breaks.length, seconds: ms / 1000, breaks, vain };
    }),
  };
}

interface Once {
  readonly starter: Starter;
  readonly reference: Reference;
  readonly root: string;
  readonly options: ProveOptions;
  readonly seed: number;
  readonly count: Count;
}

async function attackOnce(promise: Attacked, { starter, reference, root, options, seed, count }: Once): Promise<void> {
  const folder = path.join(root, `${promise.name}-${seed}`);
  const beganAt = performance.now();
  const lane = seed % 2 === 0 ? ('batch' as const) : ('live' as const);
  const context = { starter, reference, folder, lane, number: seed, dice: createDice(seed), redisUrl: options.redisUrl };
  const result: AttackResult = await promise.attack(context).catch((error: unknown) => ({
    fired: ['an error in the attack itself'],
    broken: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
  }));
  if (options.signal.aborted) return removeArena(folder);
  count.attacks += 1;
  count.ms += performance.now() - beganAt;
  if (result.fired.length > 0) count.fired += 1;
  else count.vain.push(seed);
  if (result.broken.length > 0) count.breaks.push({ seed, violations: result.broken, folder: result.folder ?? folder });
  else removeArena(folder);
  if (result.broken.length > 0)
    options.tell(`${promise.name} is broken (seed ${seed}): ${result.broken[0]}; kept: ${result.folder ?? folder}`);
}
