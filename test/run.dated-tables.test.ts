import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { nameDay } from '../src/core/day.ts';
import { makeJob } from '../src/input/job/make-job.ts';
import { verifyState } from '../src/inspect/verify/verify.ts';
import { findRunDestinationProblem } from '../src/run/open/destinations.ts';
import { makeReadOptionsOf } from './helpers/read-options.ts';
import { countPosts, makeRows, makeWorld, renderCsv, type World } from './helpers/run-world.ts';
import { wideTest } from './helpers/wide.ts';

const DAY_MS = 86_400_000;
const SPEC = { name: 'labels', input: { path: 'in.csv' }, model: 'gpt-4o-mini', prompt: '{{ text }}', output: 'text' };
const makeDated = (write: object, input: object = { path: 'in.csv' }) => makeJob({ ...SPEC, input, write }, { directory: '/data' });

/** What a run so many days later takes from the outside. */
function later(world: World, days: number) {
  return { effects: { ...world.effects, clock: () => new Date(world.clock().getTime() + days * DAY_MS) } };
}

const dayOf = (world: World, days: number) => nameDay(later(world, days).effects.clock(), null);

describe('a table named after the day of its run', () => {
  it('starts its day in the given time zone', () => {
    const instant = new Date('2026-11-29T23:30:00Z');
    assert.deepEqual(
      [null, 'UTC', 'Asia/Tokyo', 'America/Los_Angeles', 'Europe/Berlin'].map((zone) => nameDay(instant, zone)),
      ['2026-11-29', '2026-11-29', '2026-11-30', '2026-11-29', '2026-11-30'],
    );
  });

  it('accepts only the day, and a time zone by its name', () => {
    assert.equal(
      makeDated({ path: 'out/{{run.date}}/{{ run.date }}.csv' }).write.dated?.template,
      '/data/out/{{run.date}}/{{ run.date }}.csv',
    );
    assert.equal(makeDated({ path: 'out.csv' }).write.dated, undefined);
    for (const [write, expected] of [
      [{ path: '{{ run.day }}.csv' }, /write\.path: only \{\{ run\.date \}\}/],
      [{ path: '{{ text }}.csv' }, /write\.path: only/],
      [{ path: '{% if x %}a{% endif %}.csv' }, /write\.path: only/],
      [
        { path: '{{ run.date }}.csv', timezone: 'Berlin' },
        /write\.timezone: must be the name of a time zone, for example Europe\/Berlin, not "Berlin"/,
      ],
      [{ path: '{{ run.date }}.csv', timezone: '+02:00' }, /write\.timezone: must be the name/],
      [{ path: 'out.csv', timezone: 'Europe/Berlin' }, /write\.timezone: sets the day .* which write\.path does not use/],
    ] as const)
      assert.throws(() => makeDated(write), expected);
  });

  it('is refused if the glob of the input would match it on some day', async () => {
    const find = (input: string, write: string) => {
      const job = makeDated({ path: write }, { path: input });
      const dated = { template: job.write.path, timezone: null, date: '2026-11-29' };
      const today = job.write.path.replaceAll('{{ run.date }}', '2026-11-29');
      const read = { job: { ...job, write: { ...job.write, path: today, dated } }, tableFiles: [], exampleFiles: [], environmentFiles: [] };
      return findRunDestinationProblem(read, { stateDirectory: '/nowhere/state', cwd: '/data' });
    };
    for (const [input, write, refused] of [
      ['nights/*.csv', 'nights/{{ run.date }}.csv', /the table cannot be written to nights\/2026-11-29\.csv: the next run would read it/],
      ['nights/2026-12-0?.csv', 'nights/{{ run.date }}.csv', /nights\/2026-12-0\d\.csv/],
      ['**/*.failures.csv', 'out/{{ run.date }}.csv', /the table of failures cannot be written to out/],
      ['nights/*.csv', 'out/{{ run.date }}.csv', null],
      ['nights/night-*.csv', 'nights/{{ run.date }}.csv', null],
      ['nights/*-in.csv', 'nights/{{ run.date }}.csv', null],
      ['nights/*-??-??.in.csv', 'nights/{{ run.date }}.out.csv', null],
    ] as const) {
      const problem = await find(input, write);
      if (refused === null) assert.equal(problem, null, `${input} ${write}`);
      else assert.match(problem ?? '', refused, `${input} ${write}`);
    }
  });

  it('is a separate one for each day; a finished day has nothing to do, and an unchanged one sends nothing', async (t) => {
    const world = await makeWorld(t, { rows: makeRows(4), job: 'write: { path: "out/{{ run.date }}.csv" }' });
    const first = await world.run();
    const [today, tomorrow] = [dayOf(world, 0), dayOf(world, 1)];
    assert.equal(first.summary.outputs.table, `out/${today}.csv`);
    const { mtimeMs } = fs.statSync(world.path(`out/${today}.csv`));
    assert.deepEqual((await world.run()).requests, {});
    const second = await world.run(later(world, 1));
    assert.deepEqual(
      [second.summary.outputs.table, second.summary.rows.reused, countPosts(second.requests)],
      [`out/${tomorrow}.csv`, 4, 0],
    );
    assert.equal(fs.statSync(world.path(`out/${today}.csv`)).mtimeMs, mtimeMs);
    assert.deepEqual(
      fs.readdirSync(world.path('out')).filter((name) => name.endsWith('.csv')),
      [`${today}.csv`, `${tomorrow}.csv`],
    );
    assert.ok(fs.existsSync(world.path(`out/${tomorrow}.report.html`)));
    // Days later the last run's table is what is looked at.
    const options = makeReadOptionsOf(world);
    const { ok, checks } = await verifyState({ ...options, effects: { ...options.effects, clock: later(world, 5).effects.clock } });
    assert.ok(ok, JSON.stringify(checks));
    assert.equal(checks.find(({ name }) => name === 'table')?.status, 'ok');
  });

  wideTest('a run that is continued the next day keeps its day', async (t) => {
    const world = await makeWorld(t, {
      rows: makeRows(4),
      job: 'write: { path: "out/{{ run.date }}.csv", timezone: Asia/Tokyo }',
      batchSeconds: 3600,
    });
    const begun = await world.run({ waitMs: 0 });
    const day = nameDay(world.clock(), 'Asia/Tokyo');
    assert.deepEqual([begun.summary.exitCode, begun.summary.outputs.table], [7, `out/${day}.partial.csv`]);
    await world.restart({ batchSeconds: 0 });
    const ended = await world.run(later(world, 1));
    assert.deepEqual([ended.summary.exitCode, ended.summary.run, ended.summary.outputs.table], [0, begun.summary.run, `out/${day}.csv`]);
    assert.deepEqual(fs.readdirSync(world.path('out')).toSorted(), [`${day}.csv`, `${day}.report.html`]);
  });

  wideTest("tonight's file next to earlier ones sends only new rows", async (t) => {
    const world = await makeWorld(t, { job: 'write: { path: "out/{{ run.date }}.csv" }' });
    fs.mkdirSync(world.path('nights'));
    const job = world.read('job.yaml').replace('path: in.csv', 'path: "nights/*.csv"');
    world.write('job.yaml', job);
    for (const [night, rows] of [makeRows(5), makeRows(3, 6), makeRows(4, 2)].entries()) {
      world.write(path.join('nights', `n${night}.csv`), renderCsv(rows));
      const { summary } = await world.run(later(world, night));
      assert.deepEqual([summary.exitCode, summary.rows.new, summary.rows.in], [0, [5, 3, 0][night], [5, 8, 12][night]]);
    }
  });
});
