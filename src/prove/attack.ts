import fs from 'node:fs';
import path from 'node:path';
import { type Arena, type ArenaOptions, type LiveOptions, openArena } from './arena.ts';
import { findViolations } from './check/find-violations.ts';
import type { Dice } from './dice.ts';
import type { Life, LifeEnd } from './life.ts';
import type { Starter } from './starter.ts';
import type { LaneName } from './table.ts';
import { expectResult, type Reference } from './undisturbed.ts';

/** What an attack came to. */
export interface AttackResult {
  /** What really happened to the run, one each; empty where nothing did. */
  readonly fired: readonly string[];
  /** The promises that did not hold, a sentence each. */
  readonly broken: readonly string[];
}

/** What an attack has at hand. */
export interface AttackContext {
  readonly starter: Starter;
  readonly reference: Reference;
  readonly dice: Dice;
  /** Of its own; it is kept where a promise is broken. */
  readonly folder: string;
  /** Which attack it is: neighbours take turns at what there is to try. */
  readonly number: number;
  readonly lane: LaneName;
  readonly redisUrl: string | null;
}

/** A promise, and how it is attacked. */
export interface Attacked {
  /** One word, for `--only`. */
  readonly name: string;
  /** What holds however it is attacked, as a sentence. */
  readonly says: string;
  /** How it is attacked, as a sentence. */
  readonly attackedBy: string;
  /** The fewest attacks of a whole proof. */
  readonly minimum: number;
  readonly attack: (context: AttackContext) => Promise<AttackResult>;
}

/** Opens an arena with the row faults that every run meets, and closes it. */
export async function inArena<T>(
  context: AttackContext,
  options: Partial<Omit<ArenaOptions, 'folder'>>,
  work: (arena: Arena) => Promise<T>,
): Promise<T> {
  const { starter, reference, folder, lane } = context;
  // Of two that meet one request the first happens.
  const faults = [...(options.faults ?? []), ...reference.rowFaults];
  const arena = await openArena(starter, { lane, folder, ...options, faults });
  try {
    return await work(arena);
  } finally {
    await arena.close();
  }
}

/** Continues to the end and holds what is there against the undisturbed run. @returns what is broken */
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
    return [`what is left cannot be read: ${(error as Error).message}`];
  }
}

const LOOK_MS = 5;

/** Looks until it is so, or the life has ended. @returns whether it was */
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

/** What this attack tries, of all that a promise has to be tried with. */
export function takeTurn<T>({ number }: AttackContext, choices: readonly T[]): T {
  return choices[number % choices.length] as T;
}

/** Removes what an attack left. */
export function removeArena(folder: string): void {
  const parent = path.dirname(folder);
  const name = path.basename(folder);
  for (const entry of fs.readdirSync(parent)) {
    if (entry === name || entry.startsWith(`${name}.`)) fs.rmSync(path.join(parent, entry), { recursive: true, force: true });
  }
}
