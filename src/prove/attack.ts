import fs from 'node:fs';
import path from 'node:path';
import { type Arena, type ArenaOptions, type LiveOptions, openArena } from './arena.ts';
import { findViolations } from './check/find-violations.ts';
import type { Dice } from './dice.ts';
import type { Life, LifeEnd } from './life.ts';
import type { Starter } from './starter.ts';
import type { LaneName } from './table.ts';
import { expectResult, type Reference } from './undisturbed.ts';

/** The result of an attack. */
export interface AttackResult {
  /** What really happened to the run, one entry each; empty if nothing did. */
  readonly fired: readonly string[];
  /** The promises that were broken, one sentence each. */
  readonly broken: readonly string[];
  /** Where it was; the attack's own folder if absent. */
  readonly folder?: string;
}

/** What an attack can use. */
export interface AttackContext {
  readonly starter: Starter;
  readonly reference: Reference;
  readonly dice: Dice;
  /** Its own folder; kept if a promise is broken. */
  readonly folder: string;
  /** The number of the attack: consecutive numbers take turns through the variants. */
  readonly number: number;
  readonly lane: LaneName;
  readonly redisUrl: string | null;
}

/** A promise, and the attack on it. */
export interface Attacked {
  /** One word, for `--only`. */
  readonly name: string;
  /** What holds under every attack, as a sentence. */
  readonly says: string;
  /** How it is attacked, as a sentence. */
  readonly attackedBy: string;
  /** The minimum number of attacks in a full proof. */
  readonly minimum: number;
  /** It mostly waits for time to pass: it is attacked beside the others. */
  readonly waits?: boolean;
  readonly attack: (context: AttackContext) => Promise<AttackResult>;
}

/** Attacks in one folder after another until something has happened, and at most so often. */
export async function attackUntilFired(
  context: AttackContext,
  mostTries: number,
  attack: (context: AttackContext, isLast: boolean) => Promise<AttackResult>,
): Promise<AttackResult> {
  for (let tries = 1; ; tries += 1) {
    const folder = tries === 1 ? context.folder : `${context.folder}.${tries}`;
    const result = await attack({ ...context, folder }, tries === mostTries);
    if (result.fired.length > 0 || result.broken.length > 0 || tries === mostTries) return { folder, ...result };
  }
}

/** Opens an arena with the row faults of every run, and closes it. */
export async function inArena<T>(
  context: AttackContext,
  options: Partial<Omit<ArenaOptions, 'folder'>>,
  work: (arena: Arena) => Promise<T>,
): Promise<T> {
  const { starter, reference, folder, lane } = context;
  // If two apply to one request, the first one fires.
  const faults = [...(options.faults ?? []), ...reference.rowFaults];
  const arena = await openArena(starter, { lane, folder, ...options, faults });
  try {
    return await work(arena);
  } finally {
    await arena.close();
  }
}

/** Continues to the end and compares the result with the undisturbed run. @returns what is broken */
export async function continueAndCheck(
  context: AttackContext,
  arena: Arena,
  secondPayments: number,
  options: LiveOptions = {},
): Promise<readonly string[]> {
  let end: LifeEnd;
  try {
    end = await arena.liveToEnd(options);
  } catch (error) {
    return [(error as Error).message];
  }
  return checkEnd(context, arena, { end, secondPayments });
}

export function checkEnd(
  { reference, lane }: AttackContext,
  arena: Arena,
  { end, secondPayments }: { readonly end: LifeEnd; readonly secondPayments: number },
): readonly string[] {
  const { undisturbed } = reference;
  try {
    const evidence = arena.read(end);
    return [...findViolations(evidence, expectResult(undisturbed[lane].evidence.table, secondPayments))];
  } catch (error) {
    return [`the files left behind cannot be read: ${(error as Error).message}`];
  }
}

const LOOK_MS = 5;

/** Waits until this is so or the life has ended. @returns whether it was so */
export async function waitUntil(isSo: () => boolean, { ended }: Life): Promise<boolean> {
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  ended.then(over, over);
  while (!isSo()) {
    if (isOver) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return true;
}

/** The variant this attack tries, of all variants of its promise. */
export function takeTurn<T>({ number }: AttackContext, choices: readonly T[]): T {
  return choices[number % choices.length] as T;
}

/** Removes the files of an attack. */
export function removeArena(folder: string): void {
  const parent = path.dirname(folder);
  const name = path.basename(folder);
  for (const entry of fs.readdirSync(parent)) {
    if (entry === name || entry.startsWith(`${name}.`)) fs.rmSync(path.join(parent, entry), { recursive: true, force: true });
  }
}
