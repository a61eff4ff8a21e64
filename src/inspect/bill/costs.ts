import { usesAttempt } from '../../core/outcome.ts';
import type { SettledRecord } from '../../core/settled.ts';

/** The figures of a bill. Integer nano-dollars. */
export interface Costs {
  /** Attempts with their own line. */
  readonly attempts: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly nanoUsd: number;
  /** The part that bought no answer: truncated, refused and the like, or invalid by the rules of the job as it is now. */
  readonly failedNanoUsd: number;
  /** The part spent on batches nobody waited for. */
  readonly orphanedNanoUsd: number;
  /** Billed attempts of unknown price or usage; they are in no sum. */
  readonly unpricedAttempts: number;
  /** Calls that may have been billed and whose answers we do not have; they are in no other figure. */
  readonly possiblyBilledCalls: number;
  /** The most they can have cost, as far as known. */
  readonly possiblyBilledNanoUsd: number;
  /** Those of them without a known bound. */
  readonly possiblyBilledUnpriced: number;
}

export const NO_COSTS: Costs = {
  attempts: 0,
  inputTokens: 0,
  outputTokens: 0,
  nanoUsd: 0,
  failedNanoUsd: 0,
  orphanedNanoUsd: 0,
  unpricedAttempts: 0,
  possiblyBilledCalls: 0,
  possiblyBilledNanoUsd: 0,
  possiblyBilledUnpriced: 0,
};

const NAMES = Object.keys(NO_COSTS) as readonly (keyof Costs)[];

type MutableCosts = { -readonly [Name in keyof Costs]: number };

/** Adds in place: a ledger has a million records. */
export function addCosts(to: MutableCosts, more: Costs): void {
  for (const name of NAMES) to[name] += more[name];
}

/** Adds one attempt in place. @param cost null if unknown */
export function addRecord(to: MutableCosts, record: SettledRecord, cost: number | null, isExtra: boolean): void {
  to.attempts += usesAttempt(record.outcome) ? 1 : 0;
  to.inputTokens += record.usage?.inputTokens ?? 0;
  to.outputTokens += record.usage?.outputTokens ?? 0;
  to.nanoUsd += cost ?? 0;
  if (isExtra) to.orphanedNanoUsd += cost ?? 0;
  else if (record.outcome !== 'ok') to.failedNanoUsd += cost ?? 0;
  to.unpricedAttempts += cost === null ? 1 : 0;
}

export function sumCosts(all: Iterable<Costs>): Costs {
  const sum = { ...NO_COSTS };
  for (const costs of all) addCosts(sum, costs);
  return sum;
}

/** Whether there is nothing to show. */
export function isEmpty(costs: Costs): boolean {
  return NAMES.every((name) => costs[name] === 0);
}
