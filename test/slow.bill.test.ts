import assert from 'node:assert/strict';
import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeReadOptions } from '../src/cli/read-options.ts';
import type { StoredEvent } from '../src/core/event.ts';
import type { Summary } from '../src/core/summary.ts';
import { NO_COSTS } from '../src/inspect/bill/costs.ts';
import { BILL_KEYS, type Bill, type BillRow, groupRows, readBill } from '../src/inspect/bill/read-bill.ts';
import { makeEventLine } from '../src/ledger/events/event-line.ts';
import type { KeptSummary } from '../src/run/open/kept-summary.ts';
import { type Simulator, startSimulator } from '../src/simulator/start.ts';
import { CANARY_KEY, createWorld, REVIEW_JOB, REVIEWS, type World } from './helpers/command-line.ts';
import { projectRoot } from './helpers/project-root.ts';
import { startProxy } from './helpers/proxy.ts';

const LIVE_JOB = REVIEW_JOB.replace('name: reviews', 'name: labels')
  .replace('gpt-4o-mini', 'gpt-4.1-nano')
  .replace('out.csv', 'labels.csv');
const KEY = { OPENAI_API_KEY: CANARY_KEY };

describe('bill', () => {
  let world: World;
  let simulator: Simulator;
  const ends: (() => unknown)[] = [];
  let ledgers: readonly Summary['ledger'][];
  let whole: Bill;

  before(async () => {
    // Row 2 gives no JSON at first, which is paid; row 3 refuses.
    simulator = await startSimulator({
      faults: [
        { name: 'invalid', match: { batch: 1, row: 2 }, do: { answerText: 'nope' } },
        { name: 'refusal', match: { batch: 1, row: 3 }, do: { answer: 'refusal' } },
      ],
    });
    const model = await startProxy({ after: (end) => ends.push(end as () => unknown) }, { target: simulator.url, isModel: true });
    world = createWorld({ 'reviews.csv': REVIEWS, 'job.yaml': REVIEW_JOB, 'labels.yaml': LIVE_JOB });
    const asked = await world.json<Summary>(['run', 'job.yaml', '--base-url', model, '--mode', 'batch', '--yes'], KEY);
    const called = await world.json<Summary>(['run', 'labels.yaml', '--base-url', model, '--mode', 'live', '--yes'], KEY);
    assert.deepEqual([asked.simulated, called.simulated], [false, false]);
    assert.ok(simulator.faultsFired().every(({ fired }) => fired > 0));
    ledgers = [asked.ledger, called.ledger];
    whole = await world.json<Bill>(['bill']);
  });
  after(async () => {
    for (const end of ends) await end();
    await simulator.close();
    world.dispose();
  });

  it('adds up to the ledgers, to the nano-dollar, however it is grouped', async () => {
    const ledgerNanoUsd = ledgers.reduce((sum, { nanoUsd }) => sum + nanoUsd, 0);
    assert.ok(ledgerNanoUsd > 0);
    assert.deepEqual([whole.total.nanoUsd, sum(whole.rows), whole.simulated, whole.apart], [ledgerNanoUsd, ledgerNanoUsd, false, null]);
    assert.equal(
      whole.total.attempts,
      ledgers.reduce((all, { attempts }) => all + attempts, 0),
    );
    const today = new Date().toISOString().slice(0, 10);
    assert.deepEqual(
      whole.rows.map(({ job, model, lane, day }) => [job, model, lane, day >= (whole.from ?? '~') && day <= today]),
      [
        ['labels', 'gpt-4.1-nano', 'live', true],
        ['reviews', 'gpt-4o-mini', 'batch', true],
      ],
    );
    assert.ok(whole.total.failedNanoUsd > 0 && whole.total.failedNanoUsd < whole.total.nanoUsd, 'the invalid answer and the refusal');
    for (const by of BILL_KEYS) {
      const { groups = [] } = await world.json<Bill>(['bill', '--by', by]);
      assert.deepEqual([sum(groups), groups.length], [ledgerNanoUsd, by === 'day' || by === 'month' ? 1 : 2], by);
    }
  });

  it('fits a terminal of 80 columns and says what the sum does not show', async () => {
    const { stdout, exitCode } = await world.run(['bill']);
    assert.equal(exitCode, 0);
    assert.match(stdout, /^Jobs below \., \S+.* \(UTC\)\njob +attempts +tokens in +tokens out +spent\n/);
    assert.match(stdout, /\ntotal +9 .* \$0\.0\d+\nof it for answers the job as it is now cannot use: \$0\.0\d+\n$/);
    assert.ok(stdout.split('\n').every((line) => line.length <= 80));
  });

  it('writes the same as CSV, and never over a file that is read', async () => {
    assert.equal((await world.run(['bill', '--csv', 'bill.csv'])).exitCode, 0);
    const [header = '', ...lines] = readFileSync(join(world.folder, 'bill.csv'), 'utf8').trimEnd().split('\n');
    const column = header.split(',').indexOf('cost_usd');
    const nano = lines.map((line) => Math.round(Number(line.split(',')[column]) * 1e9));
    assert.equal(nano[0] === undefined ? 0 : nano.reduce((all, one) => all + one, 0), whole.total.nanoUsd);
    for (const path of ['job.yaml', 'reviews.csv', 'out.csv', '.env', '.rowmill/bill.csv']) {
      const before = existsSync(join(world.folder, path)) ? readFileSync(join(world.folder, path), 'utf8') : null;
      const { exitCode, stderr } = await world.run(['bill', '--csv', path]);
      assert.deepEqual([exitCode, stderr.startsWith('the bill cannot be written to ')], [2, true], path);
      assert.equal(existsSync(join(world.folder, path)) ? readFileSync(join(world.folder, path), 'utf8') : null, before);
    }
  });

  it('accepts a range of days, both included', async () => {
    const day = whole.from as string;
    const on = await world.json<Bill>(['bill', '--since', day, '--until', whole.to as string]);
    assert.deepEqual([on.total, on.from, on.to], [whole.total, day, whole.to]);
    const later = await world.json<Bill>(['bill', '--since', '2999-01-01']);
    assert.deepEqual([later.total.nanoUsd, later.rows, later.from, later.to], [0, [], '2999-01-01', null]);
    for (const flags of [
      ['--since', '2026-02-30'],
      ['--until', 'yesterday'],
      ['--since', '2026-11-02', '--until', '2026-11-01'],
      ['--by', 'colour'],
    ])
      assert.equal((await world.run(['bill', ...flags])).exitCode, 2, flags.join(' '));
    for (const path of ['nowhere', 'job.yaml']) {
      const { exitCode, stderr } = await world.run(['bill', path]);
      assert.deepEqual([exitCode, stderr.split('\n')[0]], [2, `${path} is not a folder; bill needs a folder with jobs below it`]);
    }
    for (const [flags, says] of [
      [['--since', '2999-01-01'], 'from 2999-01-01'],
      [['--until', '1999-01-01'], 'to 1999-01-01'],
      [['--since', '1999-01-01', '--until', '1999-01-02'], 'from 1999-01-01 to 1999-01-02'],
      [['--since', '1999-01-01', '--until', '1999-01-01'], 'on 1999-01-01'],
    ] as const)
      assert.equal((await world.run(['bill', ...flags])).stdout, `Jobs below ., nothing was spent ${says} (UTC)\n`);
  });

  it('counts jobs without files and ledgers without index, and lists simulated states separately', async () => {
    const copy = createWorld({});
    try {
      cpSync(join(world.folder, '.rowmill'), join(copy.folder, 'jobs', '.rowmill'), { recursive: true });
      const { folder: _folder, ...bill } = await copy.json<Bill>(['bill']);
      const { folder: _whole, ...asBefore } = whole;
      const strip = (rows: Bill['rows']) => rows.map(({ state: _state, ...row }) => row);
      assert.deepEqual({ ...bill, rows: strip(bill.rows) }, { ...asBefore, rows: strip(whole.rows) });
      for (const { state } of whole.rows) rmSync(join(copy.folder, 'jobs', state, 'settled.jsonl'));
      assert.equal((await copy.json<Bill>(['bill'])).total.nanoUsd, whole.total.nanoUsd);
      const elsewhere = await world.json<Bill>(['bill', copy.folder, '--state-dir', join(world.folder, '.rowmill')]);
      assert.equal(elsewhere.total.nanoUsd, whole.total.nanoUsd, 'a copy of a state is not counted twice');
      assert.match(elsewhere.notes.join('\n'), /copies of one state/);

      writeFileSync(join(copy.folder, 'jobs', 'reviews.csv'), REVIEWS);
      writeFileSync(join(copy.folder, 'jobs', 'job.yaml'), REVIEW_JOB);
      const made = await copy.json<Summary>(['run', 'jobs/job.yaml', '--simulate']);
      const mixed = await copy.json<Bill>(['bill']);
      assert.deepEqual([mixed.total.nanoUsd, mixed.apart?.total.nanoUsd], [whole.total.nanoUsd, made.ledger.nanoUsd]);
      assert.match((await copy.run(['bill'])).stdout, /\nSimulated, in no figure above: \$0\.0/);
      const simulated = join(copy.folder, 'jobs', '.rowmill', 'reviews@simulator', 'events.jsonl');
      rewriteEvents(simulated, (event) => ({ ...event, at: event.at.replace(/^\d{4}/, '2999') }));
      const apart = await copy.json<Bill>(['bill', '--since', '2999-01-01']);
      assert.deepEqual([apart.simulated, apart.total.nanoUsd, apart.apart?.total.nanoUsd], [false, 0, made.ledger.nanoUsd]);
      for (const { state } of whole.rows) rmSync(join(copy.folder, 'jobs', state), { recursive: true });
      const alone = await copy.json<Bill>(['bill']);
      assert.deepEqual([alone.simulated, alone.total.nanoUsd, sum(alone.rows)], [true, made.ledger.nanoUsd, made.ledger.nanoUsd]);
      rmSync(simulated);
      const gone = await copy.json<Bill>(['bill']);
      assert.deepEqual([gone.exitCode, gone.total.nanoUsd, gone.problems.length], [1, 0, 1]);
      assert.match(gone.problems[0] ?? '', /reviews@simulator: its events\.jsonl is gone/);
    } finally {
      copy.dispose();
    }
  });

  it('reports what it could not count, counts the rest, and ends with 1', async () => {
    const copy = createWorld({});
    try {
      cpSync(join(world.folder, '.rowmill'), join(copy.folder, '.rowmill'), { recursive: true });
      const [live = '', batch = ''] = whole.rows.map(({ state }) => join(copy.folder, state));
      appendFileSync(join(live, 'events.jsonl'), '{"type":"run-sta');
      const cut = await copy.json<Bill>(['bill']);
      assert.deepEqual([cut.exitCode, cut.total.nanoUsd], [0, whole.total.nanoUsd]);
      assert.match(cut.notes.join('\n'), /events\.jsonl: ends in the middle of a line/);

      const log = join(batch, 'events.jsonl');
      const events = readFileSync(log, 'utf8');
      writeFileSync(log, events.replace(/\n[^\n]+\n/, '\n{"broken"}\n'));
      const damaged = await copy.json<Bill>(['bill']);
      assert.deepEqual([damaged.exitCode, damaged.total.nanoUsd], [1, ledgers[1]?.nanoUsd]);
      assert.match(damaged.problems.join('\n'), /events\.jsonl:2: /);
      assert.match((await copy.run(['bill'])).stderr, /This bill is incomplete/);

      writeFileSync(log, events);
      rewriteEvents(log, (event) => (event.type === 'state-created' ? ({ ...event, format: 9, version: '9.1.0' } as StoredEvent) : event));
      const newer = await copy.json<Bill>(['bill']);
      assert.deepEqual([newer.exitCode, newer.total.nanoUsd], [1, ledgers[1]?.nanoUsd]);
      assert.match(
        newer.problems.join('\n'),
        /reviews@\S+ was written by rowmill 9\.1\.0 with format 9, but this is rowmill \S+, which knows format 1: use/,
      );
    } finally {
      copy.dispose();
    }
  });
});

function rewriteEvents(file: string, change: (event: StoredEvent) => StoredEvent): void {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const events = lines.map((line) => {
    const { crc: _crc, ...event } = JSON.parse(line) as StoredEvent & { crc: string };
    return event as StoredEvent;
  });
  writeFileSync(file, events.map((event) => makeEventLine(change(event))).join(''));
}

function sum(all: readonly { readonly nanoUsd: number }[]): number {
  return all.reduce((nanoUsd, one) => nanoUsd + one.nanoUsd, 0);
}

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
