import { createRowKeys } from '../run/open/row-keys.ts';
import { RowTally } from '../run/status/row-tally.ts';
import { makeStatusFacts, type StatusFacts } from '../run/status/status-facts.ts';
import { openState, type ReadOptions } from './open-state.ts';

/** How a job stands, from its table and everything its state directory holds: right at any time, and as dear as a run that finds nothing to do. */
export async function lookFully(options: ReadOptions): Promise<{ readonly facts: StatusFacts; readonly inputPath: string }> {
  // It may be asked again and again, and shows no answers.
  const { prepared, ledger, books, simulated, stepOf } = await openState(options, { hashesResponses: false });
  try {
    const keyRow = createRowKeys(ledger.keys, { compiled: prepared.compiled, addsKeys: false });
    const rows = new RowTally();
    for await (const chunk of prepared.table.readRows(options.signal)) for (const row of chunk) rows.add(keyRow(row));
    const parts = { prepared, ledger, books, simulated, clock: options.effects.clock };
    return { facts: await makeStatusFacts(parts, () => rows.count(stepOf)), inputPath: prepared.compiled.job.input.path };
  } finally {
    await ledger.close();
  }
}
