import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { makeReadOptions } from '../src/cli/read-options.ts';
import { NO_COSTS } from '../src/inspect/bill/costs.ts';
import { type BillRow, groupRows, readBill } from '../src/inspect/bill/read-bill.ts';
import type { KeptSummary } from '../src/run/open/kept-summary.ts';
import { projectRoot } from './helpers/project-root.ts';

it('a bill of states that an early version wrote, without their job files, is what their summaries say', async () => {
  for (const name of ['batch-finished', 'live-finished']) {
    const folder = join(projectRoot, 'fixtures', 'states', name);
    const bill = await readBill({ ...makeReadOptions('', {}), folder, since: null, until: null, by: null, csvPath: null });
    const runs = join(folder, 'state', 'notes@simulator', 'runs');
    const [run = ''] = readdirSync(runs);
    const { summary } = JSON.parse(readFileSync(join(runs, run, 'summary.json'), 'utf8')) as KeptSummary;
    assert.deepEqual([bill.simulated, bill.total.nanoUsd, bill.total.attempts], [true, summary.ledger.nanoUsd, summary.ledger.attempts]);
    assert.deepEqual(
      bill.rows.map(({ job, lane, day }) => [job, lane, day]),
      [['notes', name.split('-')[0], '2026-11-29']],
    );
  }
});

it('jobs of one name in two folders are two lines of a bill', () => {
  const row = (state: string, nanoUsd: number): BillRow => ({
    ...{ job: 'tickets', state, model: 'gpt-6-luna', lane: 'live', day: '2026-11-02', simulated: false },
    ...NO_COSTS,
    nanoUsd,
  });
  const rows = [row('a/.rowmill/tickets', 1), row('b/.rowmill/tickets', 5), row('b/.rowmill/tickets@host', 2)];
  const named = groupRows(rows, 'job').map(({ name, nanoUsd }) => [name, nanoUsd]);
  assert.deepEqual(named, [
    ['tickets (b/.rowmill)', 7],
    ['tickets (a/.rowmill)', 1],
  ]);
  assert.deepEqual(
    groupRows(rows.slice(1), 'month').map(({ name, nanoUsd }) => [name, nanoUsd]),
    [['2026-11', 7]],
  );
});
