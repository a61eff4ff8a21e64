import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeRows, makeWorld, renderCsv } from './helpers/run-world.ts';

/** So many that their keys are kept. */
const ROWS = makeRows(8_300);
const SWAPPED = [ROWS[1], ROWS[0], ...ROWS.slice(2)] as typeof ROWS;

test('a run that goes over a long table again joins every row to its own answer: with kept keys, without, with damaged ones, and when rows changed places', async (t) => {
  const world = await makeWorld(t, { rows: ROWS });
  const file = join(world.stateDirectory, 'keys');
  const table = join(world.directory, 'out.csv');
  const first = await world.run({});
  assert.deepEqual([first.summary.exitCode, first.summary.rows.ok], [0, ROWS.length]);
  world.check(first.summary);
  assert.ok(existsSync(file));
  const keys = readFileSync(file);
  const lines = readFileSync(table, 'utf8').split('\n');

  /** Writes the table again: without the last one there is something to do. */
  async function goOn(rows: typeof ROWS): Promise<readonly string[]> {
    world.write('in.csv', renderCsv(rows));
    rmSync(table);
    const { summary } = await world.run({});
    assert.deepEqual([summary.exitCode, summary.rows.reused, summary.cost.nanoUsd], [0, ROWS.length, 0]);
    return readFileSync(table, 'utf8').split('\n');
  }

  /** Id, text and answer. */
  const cells = (found: readonly string[]) => found.map((line) => line.split(',').slice(0, 4).join());
  assert.deepEqual(cells(await goOn(ROWS)), cells(lines), 'kept');
  assert.deepEqual(readFileSync(file), keys);
  rmSync(file);
  assert.deepEqual(cells(await goOn(ROWS)), cells(lines), 'gone');
  assert.deepEqual(readFileSync(file), keys);
  const swapped = Buffer.concat([keys.subarray(0, 512), keys.subarray(534, 556), keys.subarray(512, 534), keys.subarray(556)]);
  writeFileSync(file, swapped);
  assert.notDeepEqual(swapped, keys);
  assert.deepEqual(cells(await goOn(ROWS)), cells(lines), 'damaged');
  const other = await goOn(SWAPPED);
  assert.deepEqual(cells(other.slice(1, 3)), cells([lines[2] as string, lines[1] as string]), 'rows that changed places');
  assert.notDeepEqual(readFileSync(file), keys);
});
