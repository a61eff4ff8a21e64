import { createRowKeys } from '../run/open/row-keys.ts';
import { RowTally } from '../run/status/row-tally.ts';
import { makeStatusFacts, type StatusFacts } from '../run/status/status-facts.ts';
import { openState, type ReadOptions } from './open-state.ts';

/** The status of a job from its table and its whole state directory: always correct, and as expensive as a run with nothing to do. */
export async function lookFully(options: ReadOptions): Promise<{ readonly facts: StatusFacts; readonly inputPath: string }> {
  // It may be repeated often, and shows no answers.
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
