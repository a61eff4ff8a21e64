import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { NO_USAGE } from '../src/core/usage.ts';
import { openTable } from '../src/input/table/open-table.ts';
import { createTableWriter } from '../src/output/table-writer.ts';
import { projectRoot } from './helpers/project-root.ts';

/** A Python that has pyarrow: `ROWMILL_TEST_PYTHON=/path/to/python npm run unit -- slow.parquet-elsewhere`. */
const python = process.env.ROWMILL_TEST_PYTHON ?? 'python3';
const skip = spawnSync(python, ['-c', 'import pyarrow']).status === 0 ? false : `${python} has no pyarrow`;

const COMPARE = `
import sys, pyarrow.parquet as pq
before, after = (pq.read_table(path) for path in sys.argv[1:])
for name in before.column_names:
    old, new = before[name].combine_chunks(), after[name].combine_chunks()
    if hasattr(old.type, 'value_type') and str(old.type).startswith('dictionary'): old = old.cast(new.type)
    assert old.type == new.type, (name, old.type, new.type)
    same = old.equals(new) or repr(old.to_pylist()) == repr(new.to_pylist())
    assert same, name
print(after.schema.field('_cost_usd').type, after['_cost_usd'].to_pylist()[0])
`;

test('another implementation reads a written Parquet table equal to the one that was read', { skip }, async () => {
  const { signal } = new AbortController();
  const folder = mkdtempSync(join(tmpdir(), 'rowmill-elsewhere-'));
  const input = join(projectRoot, 'fixtures', 'types.parquet');
  const file = join(folder, 'out.parquet');
  try {
    const table = await openTable({ path: input, format: null, delimiter: null, encoding: null, columns: null, id: [] }, { signal });
    const shape = { columns: table.columns, keep: 'all', prefix: '', answerColumns: [], simulated: false, excel: false } as const;
    const writer = await createTableWriter({ path: file, format: 'parquet', ...shape, stored: table.stored ?? null });
    for await (const rows of table.readRows(signal)) {
      for (const row of rows) {
        const books = { attempts: 1, model: 'm', usage: NO_USAGE, answerUsage: NO_USAGE, costNanoUsd: 3_225, requestId: null, key: null };
        await writer.write({ row, disposition: { status: 'ok', source: 'new' }, answer: 'yes', ...books });
      }
    }
    await writer.finish();
    const { stdout, stderr } = spawnSync(python, ['-c', COMPARE, input, file], { encoding: 'utf8' });
    assert.equal(stdout.trim(), 'decimal128(18, 9) 0.000003225', stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
