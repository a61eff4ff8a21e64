import { UsageError } from '../core/errors.ts';
import { formatSpentUsd, type Summary } from '../core/summary.ts';
import { createSummaryCounter } from '../output/summary-counter.ts';
import { showCacheSaved } from '../run/finish/conclude.ts';
import { finishRows } from '../run/finish/finish-rows.ts';
import { describeLife, savingsOf, showWithoutAnswer } from '../run/open/books.ts';
import { createStepOf } from '../run/open/next-step.ts';
import { openJobLedger } from '../run/open/open-job-ledger.ts';
import { selectRows } from '../run/open/selection.ts';
import { findPossiblyBilled } from '../run/send/possibly-billed.ts';
import { type FoundState, prepareForReading, type ReadOptions } from './open-state.ts';

/**
 * The summary of a run with its cost computed again at the prices of a day.
 * @throws UsageError if the table or the answers are no longer those of the run, or it covered only part of the table
 */
export async function repriceSummary(options: ReadOptions, found: FoundState, summary: Summary, priceAsOf: string): Promise<Summary> {
  const { run } = summary;
  const prepared = await prepareForReading(options, found);
  const { ledger, books } = await openJobLedger(prepared, { ...options, origin: found.state.origin, access: 'read', priceAsOf });
  try {
    const { compiled, table } = prepared;
    const counter = createSummaryCounter((row) => savingsOf(row, books, compiled.job));
    const selected = await selectRows({ type: 'all' }, table, options.signal);
    const stepOf = createStepOf(ledger, compiled.job, 'reading');
    const finishing = { table, compiled, ledger, run, selected, stepOf, costOf: books.costOf, signal: options.signal };
    for await (const rows of finishRows(finishing)) for (const row of rows) counter.add(row);
    const counted = counter.read();
    if (JSON.stringify(counted.rows) !== JSON.stringify(summary.rows)) {
      throw new UsageError(`run ${run} cannot be recomputed: its table or its answers have changed since`, { code: 'changed' });
    }
    const totals = books.ofRun(run);
    const { nanoUsd, unpricedAttempts } = totals;
    const { rowsNanoUsd, failedRowsNanoUsd, batchSavedNanoUsd, reuseSavedNanoUsd } = counted;
    const { nanoUsd: possiblyBilledNanoUsd, items } = await findPossiblyBilled({
      ledger,
      books,
      run,
      prepared,
      priceAsOf,
      clock: options.effects.clock,
      warn: () => undefined,
    });
    const view = {
      nanoUsd,
      usd: formatSpentUsd(nanoUsd, unpricedAttempts),
      rowsNanoUsd,
      orphanedNanoUsd: nanoUsd - rowsNanoUsd,
      failedRowsNanoUsd,
    };
    const saved = {
      batchSavedNanoUsd,
      reuseSavedNanoUsd,
      possiblyBilledNanoUsd,
      unpricedAttempts,
      ...showCacheSaved(totals),
      pricesAsOf: priceAsOf,
    };
    const named = items.length === 0 ? {} : { possiblyBilled: items };
    return {
      ...summary,
      ...named,
      ...showWithoutAnswer(run, books),
      cost: { ...summary.cost, ...view, ...saved },
      ledger: { attempts: summary.ledger.attempts, ...describeLife(books) },
    };
  } finally {
    await ledger.close();
  }
}
