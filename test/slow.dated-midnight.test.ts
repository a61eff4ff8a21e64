import assert from 'node:assert/strict';
import fs from 'node:fs';
import { it } from 'node:test';
import { isTimezone, nameDay } from '../src/core/day.ts';
import { verifyState } from '../src/inspect/verify/verify.ts';
import { makeReadOptionsOf } from './helpers/read-options.ts';
import { makeRows, makeWorld } from './helpers/run-world.ts';

it('a day begins where the zone says, on days of 23 and 25 hours too', () => {
  for (const [instant, zone, day] of [
    ['2026-03-28T22:59:59Z', 'Europe/Berlin', '2026-03-28'],
    ['2026-03-28T23:00:00Z', 'Europe/Berlin', '2026-03-29'],
    ['2026-03-29T21:59:59Z', 'Europe/Berlin', '2026-03-29'],
    ['2026-03-29T22:00:00Z', 'Europe/Berlin', '2026-03-30'],
    ['2026-10-24T22:00:00Z', 'Europe/Berlin', '2026-10-25'],
    ['2026-10-25T22:59:59Z', 'Europe/Berlin', '2026-10-25'],
    ['2026-10-25T23:00:00Z', 'Europe/Berlin', '2026-10-26'],
    ['2026-12-31T10:00:00Z', 'Pacific/Kiritimati', '2027-01-01'],
    ['2026-01-01T11:59:59Z', 'Etc/GMT+12', '2025-12-31'],
    ['2028-02-29T12:00:00Z', 'Asia/Kathmandu', '2028-02-29'],
  ] as const)
    assert.equal(nameDay(new Date(instant), zone), day, `${instant} ${zone}`);
  for (const name of ['', 'GMT+5', '+02:00', 'Z', 'Europe/Berlin ', 'Europe/Berlin/x', '../../etc', 'Mars/Base'])
    assert.ok(!isTimezone(name), name);
});

it('midnight at any moment of a run: its table has the name of the day it began, and there is one', async (t) => {
  const days = new Set<string>();
  for (const looks of [1, 2, 3, 4, 5, 6, 8, 11, 15, 20]) {
    const world = await makeWorld(t, { rows: makeRows(3), job: 'write: { path: "out/{{ run.date }}.csv" }' });
    const shiftMs = Date.parse('2026-11-29T23:00:00Z') - world.clock().getTime();
    let left = looks;
    // The n-th look at the clock is the first of the new day.
    const clock = () => new Date(world.clock().getTime() + shiftMs + (--left > 0 ? 0 : 3_600_000));
    const { summary } = await world.run({ effects: { ...world.effects, clock } });
    assert.ok(left <= 0, 'there was a midnight');
    assert.deepEqual([summary.exitCode, summary.rows.ok], [0, 3]);
    const tables = fs.readdirSync(world.path('out')).filter((name) => name.endsWith('.csv'));
    assert.equal(tables.length, 1, `${looks}: ${tables.join(', ')}`);
    assert.equal(summary.outputs.table, `out/${tables[0]}`);
    const started = fs
      .readFileSync(`${world.stateDirectory}/events.jsonl`, 'utf8')
      .split('\n')
      .find((line) => line.includes('"run-started"'));
    assert.match(started ?? '', new RegExp(`"date":"${tables[0]?.slice(0, 10)}"`), `${looks}`);
    days.add(tables[0] ?? '');
    const { ok, checks } = await verifyState(makeReadOptionsOf(world));
    assert.ok(ok, JSON.stringify(checks));
  }
  assert.deepEqual([...days].sort(), ['2026-11-29.csv', '2026-11-30.csv'], 'some began before it, some after');
});
