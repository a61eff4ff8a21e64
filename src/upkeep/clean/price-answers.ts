import { findState, openState, type ReadOptions } from '../../inspect/open-state.ts';
import { planJob } from '../../run/plan/plan.ts';
import type { StoredAnswers } from './answers.ts';

/** Integer nano-dollars. */
export interface PricedAnswers extends StoredAnswers {
  /** The cost of all attempts of the ledger; it stays in every sum. */
  readonly paidNanoUsd: number;
  /** The expected cost of sending the whole table again; null at an unknown price. */
  readonly againNanoUsd: number | null;
}

/**
 * What a job's answers cost, and the expected cost of sending its table again.
 * @throws UsageError if the table does not exist: nobody could say then what is given up
 */
export async function priceAnswers(options: ReadOptions): Promise<Pick<PricedAnswers, 'paidNanoUsd' | 'againNanoUsd'>> {
  const { state, paths } = await findState(options);
  const { ledger, books, prepared } = await openState(options, { hashesResponses: false });
  await ledger.close();
  const plan = await planJob({
    ...options,
    overrides: { cwd: options.cwd, input: options.input ?? paths?.input ?? null, out: paths?.out ?? null },
    target: { origin: state.origin },
    stdin: null,
    selection: { type: 'all' },
    effects: { ...options.effects, monotonicMs: () => performance.now(), startTimer: () => () => {} },
    priceAsOf: null,
    isFresh: true,
    reopen: null,
  });
  const { mode } = prepared.compiled.job;
  const cost = plan.cost[mode === 'live' || mode === 'flex' ? mode : 'batch'];
  return { paidNanoUsd: books.life.nanoUsd, againNanoUsd: cost?.expectedNanoUsd ?? null };
}
