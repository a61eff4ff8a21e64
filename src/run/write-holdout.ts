import type { ChosenExamples } from '../input/request/read-examples.ts';
import { createPlainTable } from '../output/plain-table.ts';

/** Writes the rows of the table of examples that are not shown to the model, under the job's own names: what its answers can be judged by. */
export async function writeHoldout({ table, columns, isChosen }: ChosenExamples, path: string, signal: AbortSignal): Promise<void> {
  const holdout = await createPlainTable(path, columns);
  try {
    for await (const rows of table.readRows(signal)) {
      for (const row of rows) if (!isChosen(row)) await holdout.write(row.cells);
    }
    await holdout.finish();
  } catch (error) {
    await holdout.abandon();
    throw error;
  }
}
