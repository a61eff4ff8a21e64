import { join } from 'node:path';
import { isOfThisVersion } from '../input/answer/compile-rules.ts';
import type { Ledger, LedgerOptions } from '../ledger/ledger.ts';
import { openLedger } from '../ledger/open-ledger.ts';
import { readRules } from '../ledger/responses/earlier-verdicts.ts';
import type { ReadOptions } from './open-state.ts';

export interface WithoutJobOptions extends Pick<LedgerOptions, 'directory' | 'origin' | 'job'> {
  readonly visit?: LedgerOptions['visit'];
  /** Whether its answers are vectors; absent: no. */
  readonly takesVectors?: boolean;
}

/** Takes every answer as it is: for readers to whom its meaning does not matter. @param takesVectors whether answers are vectors */
export function acceptAll(takesVectors: boolean): LedgerOptions['checkAnswer'] {
  return Object.assign(() => ({ ok: true, value: null }) as const, { takesVectors });
}

/**
 * Opens a state directory for reading where what its answers mean does not matter: records judged by the rules of any job are used as they are, but not
 * those of an earlier version.
 */
export function openWithoutJob(
  { effects, signal }: Pick<ReadOptions, 'effects' | 'signal'>,
  { takesVectors = false, visit = () => {}, ...options }: WithoutJobOptions,
): Promise<Ledger> {
  const kept = readRules(join(options.directory, 'settled.jsonl'));
  return openLedger({
    ...effects,
    ...options,
    access: 'read',
    hashesResponses: false,
    checkAnswer: acceptAll(takesVectors),
    rulesHash: kept !== null && isOfThisVersion(kept) ? kept : 'none',
    visit,
    signal,
  });
}
