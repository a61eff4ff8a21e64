import { showModels } from '../../core/models/split-by-model.ts';
import type { DoubtfulCalls } from '../../core/summary.ts';
import type { LedgerFold, RunState } from '../../ledger/events/fold.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { type BudgetFacts, makeBudgetFacts } from '../budget/facts.ts';
import type { Books } from '../open/books.ts';
import type { PreparedJob } from '../open/prepared-job.ts';
import { findPossiblyBilled } from '../send/possibly-billed.ts';
import type { RowCounts } from './row-tally.ts';
import { listWaits, type Wait } from './waits.ts';

/** The status of a job without what depends on the moment: ages, and whether somebody works on it. */
export interface StatusFacts {
  readonly simulated: boolean;
  /** The models in a table of requests, in readable form; absent if the job names its model. */
  readonly models?: string;
  /** The latest run; null before the first. */
  readonly run: Pick<RunState, 'id' | 'startedAt' | 'endedAt' | 'exitCode'> | null;
  readonly rows: RowCounts;
  /** The rows of the latest run, if it is about a part of the table; absent otherwise. */
  readonly rowsOfRun?: RowCounts;
  /** Whether answers from before a `--fresh` do not count; absent if there was none. */
  readonly sinceFresh?: true;
  readonly batches: readonly BatchFacts[];
  /** In nano-dollars. */
  readonly cost: CostFacts;
  readonly possiblyBilled: readonly DoubtfulCalls[];
  /** Budgets over several runs; absent if the job has none, and in earlier versions. */
  readonly budgets?: readonly BudgetFacts[];
  readonly waits: readonly Wait[];
}

export interface BatchFacts {
  readonly id: string;
  /** As last seen by the runner. */
  readonly status: string;
  readonly requests: number | null;
  readonly submittedAt: string;
  /** A batch has 24 hours from its creation (Batch guide, seen 2026-11-21); null once it is collected. */
  readonly expiresAt: string | null;
  readonly isCollected: boolean;
  readonly isExtra: boolean;
}

export interface CostFacts {
  /** Of the latest run. */
  readonly nanoUsd: number;
  readonly unpricedAttempts: number;
  /** Over all runs. */
  readonly ledgerNanoUsd: number;
  /** Over all runs: the most that calls without an answer can have cost, if known; in no other sum. */
  readonly possiblyBilledNanoUsd: number;
  readonly ledgerUnpricedAttempts: number;
}

export interface StatusParts {
  readonly prepared: PreparedJob;
  readonly ledger: Ledger;
  readonly books: Books;
  readonly simulated: boolean;
  readonly clock: () => Date;
}

const COMPLETION_WINDOW_MS = 86_400_000;

/** @param countRows called last, so that its counts are of the same moment as all the rest */
export async function makeStatusFacts(
  { prepared, ledger, books, simulated, clock }: StatusParts,
  countRows: () => Pick<StatusFacts, 'rows' | 'rowsOfRun'>,
): Promise<StatusFacts> {
  const { fold } = ledger;
  const doubts = await findPossiblyBilled({ ledger, books, prepared, run: null, priceAsOf: null, clock, warn: () => {} });
  const last = fold.runs.at(-1) ?? null;
  const totals = books.ofRun(last?.id ?? '');
  const { job } = prepared.compiled;
  const budgets = makeBudgetFacts(job.budget, books, clock());
  const counted = countRows();
  // A run sends no rows but its own.
  const { pending, inFlight } = counted.rowsOfRun ?? counted.rows;
  return {
    simulated,
    ...(job.requests === undefined ? {} : { models: showModels(job) }),
    run: last === null ? null : { id: last.id, startedAt: last.startedAt, endedAt: last.endedAt, exitCode: last.exitCode },
    ...counted,
    ...(fold.generation === 0 ? {} : { sinceFresh: true }),
    batches: listBatches(fold, last?.id ?? ''),
    cost: {
      nanoUsd: totals.nanoUsd,
      unpricedAttempts: totals.unpricedAttempts,
      ledgerNanoUsd: books.life.nanoUsd,
      possiblyBilledNanoUsd: doubts.nanoUsd,
      ledgerUnpricedAttempts: books.life.unpricedAttempts,
    },
    possiblyBilled: doubts.items,
    ...(budgets.length === 0 ? {} : { budgets }),
    waits: listWaits(fold, { due: pending - inFlight }),
  };
}

/** The batches of the latest run, and those of earlier ones that still have results. */
export function listBatches(fold: LedgerFold, run: string): readonly BatchFacts[] {
  return [...fold.batches.values()]
    .filter((batch) => batch.run === run || !batch.isCollected)
    .map(({ id, status, shard, submittedAt, isCollected, isExtra }) => ({
      id,
      status,
      requests: (shard === null ? undefined : fold.shards.get(shard)?.rows) ?? null,
      submittedAt,
      expiresAt: isCollected ? null : new Date(Date.parse(submittedAt) + COMPLETION_WINDOW_MS).toISOString(),
      isCollected,
      isExtra,
    }));
}
