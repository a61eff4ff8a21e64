import { createRowKeys } from '../run/open/row-keys.ts';
import { selectRows } from '../run/open/selection.ts';
import { RowTally } from '../run/status/row-tally.ts';
import { makeStatusFacts, type StatusFacts } from '../run/status/status-facts.ts';
import { openState, type ReadOptions } from './open-state.ts';

/** The status of a job from its table and its whole state directory: always correct, and as expensive as a run with nothing to do. */
export async function lookFully(options: ReadOptions): Promise<{ readonly facts: StatusFacts; readonly inputPath: string }> {
  // It may be repeated often, and shows no answers.
  const { prepared, ledger, books, simulated, stepOf, selection } = await openState(options, { hashesResponses: false });
  try {
    const keyRow = createRowKeys(ledger.keys, { compiled: prepared.compiled, addsKeys: false });
    const rows = new RowTally();
    const rowsOfRun = new RowTally();
    const selected = await selectRows(selection, prepared.table, options.signal);
    for await (const chunk of prepared.table.readRows(options.signal)) {
      for (const row of chunk) {
        const keyed = keyRow(row);
        rows.add(keyed);
        if (!selected.isAll && selected.has(row.index)) rowsOfRun.add(keyed);
      }
    }
    const countRows = () => ({ rows: rows.count(stepOf), ...(selected.isAll ? {} : { rowsOfRun: rowsOfRun.count(stepOf) }) });
    const parts = { prepared, ledger, books, simulated, clock: options.effects.clock };
    return { facts: await makeStatusFacts(parts, countRows), inputPath: prepared.compiled.job.input.path };
  } finally {
    await ledger.close();
  }
}
