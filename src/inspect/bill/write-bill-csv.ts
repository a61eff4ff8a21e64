import { formatUsd } from '../../core/summary.ts';
import { openAtomicFile } from '../../output/atomic-file.ts';
import { createCsvPrinter, escapeFormula } from '../../output/csv-text.ts';
import type { Costs } from './costs.ts';
import type { Bill } from './read-bill.ts';

const COST_COLUMNS = [
  'attempts',
  'input_tokens',
  'output_tokens',
  'cost_usd',
  'failed_usd',
  'orphaned_usd',
  'unpriced_attempts',
  'possibly_billed_calls',
  'possibly_billed_usd',
  'possibly_billed_unpriced',
];

/** Writes the lines of a bill as CSV, including simulated ones, which are marked: dollars exact, with nine decimals. @throws DiskError */
export async function writeBillCsv(path: string, bill: Bill): Promise<void> {
  const records =
    bill.groups === undefined
      ? [
          ['day', 'job', 'state', 'model', 'lane', 'simulated', ...COST_COLUMNS],
          ...[...bill.rows, ...(bill.apart?.rows ?? [])].map((row) => [
            ...[row.day, row.job, row.state, row.model, row.lane].map(escapeFormula),
            String(row.simulated),
            ...printCosts(row),
          ]),
        ]
      : [[bill.by ?? '', ...COST_COLUMNS], ...bill.groups.map((group) => [escapeFormula(group.name), ...printCosts(group)])];
  const file = await openAtomicFile(path);
  try {
    await file.write(createCsvPrinter().print(records));
    await file.commit();
  } catch (error) {
    await file.discard();
    throw error;
  }
}

function printCosts(costs: Costs): readonly string[] {
  return [
    String(costs.attempts),
    String(costs.inputTokens),
    String(costs.outputTokens),
    printUsd(costs.nanoUsd, costs.unpricedAttempts),
    formatUsd(costs.failedNanoUsd),
    formatUsd(costs.orphanedNanoUsd),
    String(costs.unpricedAttempts),
    String(costs.possiblyBilledCalls),
    printUsd(costs.possiblyBilledNanoUsd, costs.possiblyBilledUnpriced),
    String(costs.possiblyBilledUnpriced),
  ];
}

/** Empty if no part of it is known: never 0. */
function printUsd(nanoUsd: number, unpriced: number): string {
  return nanoUsd === 0 && unpriced > 0 ? '' : formatUsd(nanoUsd);
}
