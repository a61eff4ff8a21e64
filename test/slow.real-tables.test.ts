import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FEW_TABLES, listRealTables, runRealTable } from './helpers/real-tables.ts';

const tables = listRealTables();
const skip = tables.length === 0 ? 'the public tables are not beside this checkout' : false;

for (const file of FEW_TABLES) {
  test(`every row of ${file} comes back in order with its own answer`, { skip }, async (t) => {
    const table = tables.find((candidate) => candidate.file === file);
    assert.ok(table);
    const summary = await runRealTable(t, table);
    t.diagnostic(`${file}: ${summary.rows.in} rows, ${summary.rows.duplicate} duplicate, ${summary.rows.skipped} skipped`);
  });
}
