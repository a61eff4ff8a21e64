import assert from 'node:assert/strict';
import type { RunView } from '../src/run/send/run-view.ts';
import { makeRows, makeWorld, renderCsv } from './helpers/run-world.ts';
import { wideTest } from './helpers/wide.ts';

wideTest('progress is about this run: identical rows once, answers of other tables not at all', async (t) => {
  const rows = makeRows(8);
  const world = await makeWorld(t, { rows: [...rows, ['again', rows[0]?.[1] ?? ''], ['', '']] });
  const views: RunView[] = [];
  const look = { watch: (view: RunView) => views.push(view) };
  await world.run(look);
  // The first eight stand in the ledger; two of them are in the second table, too.
  world.write('in.csv', renderCsv([...rows.slice(6), ...makeRows(3, 500)]));
  await world.run(look);
  assert.deepEqual(
    views.map(({ requests, okRequests }) => [requests, okRequests]),
    [
      [8, 8],
      [5, 5],
    ],
  );
});
