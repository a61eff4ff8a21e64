import type { Mode } from '../core/job.ts';
import { type DoubtfulCalls, formatSpentUsd } from '../core/summary.ts';
import type { LedgerFold } from '../ledger/events/fold.ts';
import { createRowKeys } from '../run/open/row-keys.ts';
import { findPossiblyBilled } from '../run/send/possibly-billed.ts';
import { type OpenState, openState, type ReadOptions } from './open-state.ts';
import { findRunner, listWaits, type Runner, type Wait } from './waiting-for.ts';

/** How a job stands at this moment (`status --json`); field names are a contract. */
export interface Status {
  readonly schema: 'rowmill.status/1';
  readonly job: string;
  readonly model: string;
  /** Where the job file sends its rows. */
  readonly mode: Mode;
  /** Absolute path of the state directory looked at, and who gave its answers. */
  readonly state: string;
  readonly origin: string;
  readonly simulated: boolean;
  /** The latest run; null before the first. */
  readonly run: StatusRun | null;
  readonly rows: StatusRows;
  readonly batches: readonly StatusBatch[];
  readonly cost: StatusCost;
  /** What may have been billed without an answer, over all runs, one by one. */
  readonly possiblyBilled: readonly DoubtfulCalls[];
  readonly waitingFor: readonly Wait[];
}

export interface StatusRun {
  readonly id: string;
  readonly startedAt: string;
  /** Null while it is open: the next `run` continues it. */
  readonly endedAt: string | null;
  readonly exitCode: number | null;
  /** The process working on it; null when there is none. */
  readonly runner: Runner | null;
}

/** `in = ok + failed + skipped + pending`; `inFlight` is the part of `pending` that lies with the provider, or waits to. */
export interface StatusRows {
  readonly in: number;
  readonly ok: number;
  readonly failed: number;
  readonly skipped: number;
  readonly pending: number;
  readonly inFlight: number;
}

export interface StatusBatch {
  readonly id: string;
  /** As last seen by the runner. */
  readonly status: string;
  readonly requests: number | null;
  readonly submittedAt: string;
  readonly ageSeconds: number;
  /** A batch has 24 hours from its creation (Batch guide, seen 2026-11-21); null once it is collected. */
  readonly expiresAt: string | null;
  readonly isCollected: boolean;
  readonly isExtra: boolean;
}

export interface StatusCost {
  /** Of the latest run. */
  readonly nanoUsd: number;
  readonly usd: string;
  readonly unpricedAttempts: number;
  /** Over all runs. */
  readonly ledgerNanoUsd: number;
  /** Over all runs: the most that calls without an answer can have cost, where it is known; in no other sum. */
  readonly possiblyBilledNanoUsd: number;
  readonly ledgerUnpricedAttempts: number;
  /** Whose prices these are where they are not those of the address; absent where they are, and without any money. */
  readonly priceNote?: string;
}

const COMPLETION_WINDOW_MS = 86_400_000;

/** Looks at a job without the lock: a run may be going on in another process. */
export async function readStatus(options: ReadOptions): Promise<Status> {
  // It is asked again and again, and shows no answers.
  const opened = await openState(options, { hashesResponses: false });
  const { ledger, books, prepared, state } = opened;
  const { fold } = ledger;
  try {
    const last = fold.runs.at(-1) ?? null;
    const runner = findRunner(state.directory, options.effects.processIdentity);
    const rows = await countRows(opened, options.signal);
    const priceNote = prepared.priceNoteAt(options.effects.clock().toISOString());
    const totals = books.ofRun(last?.id ?? '');
    const doubts = await findPossiblyBilled({ ledger, books, prepared, run: null, clock: options.effects.clock, warn: () => {} });
    return {
      schema: 'rowmill.status/1',
      job: opened.job,
      model: prepared.compiled.job.model,
      mode: prepared.compiled.job.mode,
      state: state.directory,
      origin: state.origin,
      simulated: opened.simulated,
      run: last === null ? null : { id: last.id, startedAt: last.startedAt, endedAt: last.endedAt, exitCode: last.exitCode, runner },
      rows,
      batches: listBatches(fold, last?.id ?? '', options.effects.clock()),
      cost: {
        nanoUsd: totals.nanoUsd,
        usd: formatSpentUsd(totals.nanoUsd, totals.unpricedAttempts),
        unpricedAttempts: totals.unpricedAttempts,
        ledgerNanoUsd: books.life.nanoUsd,
        possiblyBilledNanoUsd: doubts.nanoUsd,
        ledgerUnpricedAttempts: books.life.unpricedAttempts,
        ...(priceNote === null || opened.simulated || books.life.nanoUsd === 0 ? {} : { priceNote }),
      },
      possiblyBilled: doubts.items,
      waitingFor: listWaits(fold, runner, { due: rows.pending - rows.inFlight }),
    };
  } finally {
    await ledger.close();
  }
}

/** Joins every row with its key's state, without reading answers: quick enough to be repeated. */
async function countRows({ prepared, ledger, stepOf }: OpenState, signal: AbortSignal): Promise<StatusRows> {
  const { compiled, table } = prepared;
  const keyRow = createRowKeys(ledger.keys, { compiled, addsKeys: false });
  const rows = { in: 0, ok: 0, failed: 0, skipped: 0, pending: 0, inFlight: 0 };
  for await (const chunk of table.readRows(signal)) {
    for (const row of chunk) {
      rows.in += 1;
      const keyed = keyRow(row);
      if (keyed.status === 'skipped') {
        rows.skipped += 1;
        continue;
      }
      const { id } = keyed;
      const step = id === -1 ? 'new' : stepOf(id);
      if (step === 'done') rows.ok += 1;
      else if (step === 'failed') rows.failed += 1;
      else rows.pending += 1;
      if (step === 'in-flight') rows.inFlight += 1;
    }
  }
  return rows;
}

/** The batches of the latest run, and those of earlier ones that still have something to give. */
function listBatches(fold: LedgerFold, run: string, now: Date): readonly StatusBatch[] {
  return [...fold.batches.values()]
    .filter((batch) => batch.run === run || !batch.isCollected)
    .map(({ id, status, shard, submittedAt, isCollected, isExtra }) => ({
      id,
      status,
      requests: (shard === null ? undefined : fold.shards.get(shard)?.rows) ?? null,
      submittedAt,
      ageSeconds: Math.max(0, Math.round((now.getTime() - Date.parse(submittedAt)) / 1000)),
      expiresAt: isCollected ? null : new Date(Date.parse(submittedAt) + COMPLETION_WINDOW_MS).toISOString(),
      isCollected,
      isExtra,
    }));
}
