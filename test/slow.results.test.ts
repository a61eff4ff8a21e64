import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { makeWorld } from './helpers/run-world.ts';

/** How the ids of a completed batch's files may look, and what must come of it. */
const FILE_IDS: readonly {
  title: string;
  do: object;
  faults?: readonly object[];
  exitCode: number;
  batches: number;
  destroyed?: number;
}[] = [
  { title: 'the ids appear late', do: { outputFileId: 'late', errorFileId: 'late', lateMs: 20_000 }, exitCode: 0, batches: 1 },
  { title: 'the error id is an empty string', do: { errorFileId: 'empty' }, exitCode: 0, batches: 1 },
  { title: 'the error id is absent', do: { errorFileId: 'omitted' }, exitCode: 0, batches: 1 },
  {
    title: 'the output id appears later than the error id',
    do: { outputFileId: 'late', lateMs: 20_000 },
    faults: [{ match: { row: 3 }, do: { rowStatus: 400 } }],
    exitCode: 3,
    batches: 1,
  },
  { title: 'the output id stays null', do: { outputFileId: 'null' }, exitCode: 0, batches: 2, destroyed: 12 },
  { title: 'the output id stays an empty string', do: { outputFileId: 'empty' }, exitCode: 0, batches: 2, destroyed: 12 },
  { title: 'the output id is never there', do: { outputFileId: 'omitted' }, exitCode: 0, batches: 2, destroyed: 12 },
];

for (const { title, exitCode, batches, faults = [], destroyed = 0, ...fault } of FILE_IDS) {
  test(`a completed batch: ${title}`, async (t) => {
    const world = await makeWorld(t, { faults: [{ match: { batch: 1 }, do: fault.do }, ...faults] });
    const { summary } = await world.run();
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.batches.length], [exitCode, batches]);
    if (destroyed > 0) {
      assert.ok(
        summary.cost.possiblyBilledNanoUsd >= summary.cost.nanoUsd,
        'what may have been billed without an answer is bounded and shown',
      );
      assert.equal(summary.batches[0]?.status, 'lost');
    }
    world.check(summary, { destroyedLines: destroyed });
  });
}

test('a batch whose rows all failed has only an error file, which is read', async (t) => {
  const world = await makeWorld(t, { faults: [{ do: { rowStatus: 400, code: 'invalid_prompt' } }] });
  const { summary } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, summary.causes, summary.attempts.total], [3, { bad_request: 12 }, 12]);
  assert.equal(summary.cost.nanoUsd, 0);
  world.check(summary);
});

for (const end of ['expire', 'cancel'] as const) {
  for (const unfinished of end === 'cancel' ? ['missing', 'lines'] : ['']) {
    test(`a batch that ends by ${end} ${unfinished} delivers what it finished, and only the rest is sent again`, async (t) => {
      const world = await makeWorld(t, {
        faults: [{ match: { batch: 1 }, do: { [end]: 0.5, ...(unfinished === '' ? {} : { unfinished }) } }],
      });
      const { summary } = await world.run();
      world.assertFaultsFired();
      assert.deepEqual([summary.exitCode, summary.rows.ok, summary.batches.length], [0, 12, 2]);
      assert.equal(world.simulator.bill().length, 12, 'nothing that was finished is paid twice');
      assert.equal(summary.attempts.total, 12, 'what was not executed uses no attempt');
      world.check(summary);
    });
  }
}

test('rows that expire three times in a row fail, and the next run retries them', async (t) => {
  const world = await makeWorld(t, { faults: [{ do: { expire: 0 }, times: 3 }] });
  const first = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([first.summary.exitCode, first.summary.causes, first.summary.batches.length], [3, { expired: 12 }, 3]);
  assert.equal(first.summary.cost.nanoUsd, 0);
  world.check(first.summary);
  const second = await world.run();
  assert.deepEqual([second.summary.exitCode, second.summary.rows.new], [0, 12]);
  world.check(second.summary);
});

/** What may be wrong with lines, how many rows end well all the same, and how many billed calls the files then lack. */
const LINES: readonly { line: string; sentAgain: number; anomaly?: string; unaccounted?: number; note?: string }[] = [
  { line: 'missing', sentAgain: 3 },
  { line: 'lost', sentAgain: 3, unaccounted: 3 },
  { line: 'status_0', sentAgain: 3 },
  { line: 'expired', sentAgain: 3 },
  { line: 'cancelled', sentAgain: 3 },
  { line: 'duplicate', sentAgain: 0, anomaly: 'duplicate' },
  { line: 'duplicate_new_id', sentAgain: 0, anomaly: 'conflict' },
  { line: 'broken', sentAgain: 3, anomaly: 'malformed', unaccounted: 3 },
  { line: 'two_objects', sentAgain: 3, anomaly: 'malformed', unaccounted: 3 },
  { line: 'blank', sentAgain: 0 },
  { line: 'crlf', sentAgain: 0 },
  { line: 'foreign', sentAgain: 0, anomaly: 'foreign' },
  { line: 'no_custom_id', sentAgain: 3, anomaly: 'malformed', unaccounted: 3 },
  { line: 'bad_utf8', sentAgain: 0 },
  // Longer than an answer of the tokens that were asked for can be.
  { line: 'huge', sentAgain: 3, unaccounted: 3 },
];

for (const { line, sentAgain, anomaly, unaccounted = 0 } of LINES) {
  test(`a line that is ${line.replaceAll('_', ' ')} affects no other`, async (t) => {
    const world = await makeWorld(t, { faults: [{ match: { batch: 1, every: 4 }, do: { line } }] });
    const { summary } = await world.run();
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.rows.ok], [0, 12]);
    assert.equal(summary.batches.length, sentAgain > 0 ? 2 : 1);
    if (sentAgain > 0) assert.equal(summary.batches[1]?.requests, sentAgain, 'only the rows concerned go again');
    assert.deepEqual(summary.anomalies, anomaly === undefined ? {} : { [anomaly]: 3 });
    world.check(summary, { destroyedLines: unaccounted });
  });
}

for (const line of ['lost', 'broken']) {
  test(`paid calls whose line is ${line} are detected by the usage of the batch, reported and bounded`, async (t) => {
    const world = await makeWorld(t, { faults: [{ match: { batch: 1, every: 4 }, do: { line } }] });
    const { summary, warnings } = await world.run();
    world.assertFaultsFired();
    const lackingNanoUsd = summary.cost.nanoUsd / 4;
    assert.ok(
      warnings.some((warning) => /tokens/.test(warning)),
      'the difference is printed',
    );
    assert.ok(summary.cost.possiblyBilledNanoUsd >= lackingNanoUsd, 'and bounded');
  });
}

for (const line of ['error_in_output', 'string_error']) {
  test(`a refusal of a row is read wherever it is: ${line.replaceAll('_', ' ')}`, async (t) => {
    const world = await makeWorld(t, { faults: [{ match: { every: 4 }, do: { line } }] });
    const { summary } = await world.run();
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.causes, summary.batches.length], [3, { bad_request: 3 }, 1]);
    world.check(summary);
  });
}

test('a file with a byte order mark is read', async (t) => {
  const world = await makeWorld(t, { faults: [{ match: { batch: 1 }, do: { bom: true } }] });
  const { summary } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, summary.batches.length, summary.anomalies], [0, 1, {}]);
  world.check(summary);
});

for (const atByte of [0, 1, 700, 3_000]) {
  for (const close of [false, true]) {
    test(`a download cut at byte ${atByte} is fetched again, never kept by half (connection closed politely: ${close})`, async (t) => {
      const fault = { match: { path: '/v1/files/*/content', nth: 1 }, do: { cutAtByte: atByte, close } };
      const world = await makeWorld(t, { faults: [fault] });
      const { summary, requests } = await world.run();
      world.assertFaultsFired();
      assert.deepEqual([summary.exitCode, requests['GET /v1/files/:id/content']], [0, 2]);
      world.check(summary);
    });
  }
}

test('rows of a missing result file are sent again, and the file is collected when it reappears', async (t) => {
  const world = await makeWorld(t, { faults: [{ match: { path: '/v1/files/*/content' }, do: { status: 404 }, times: 4 }] });
  const { summary, warnings } = await world.run();
  world.assertFaultsFired();
  assert.ok(warnings.some((warning) => /output file is gone/.test(warning)));
  assert.ok(warnings.some((warning) => /is back/.test(warning)));
  assert.deepEqual([summary.exitCode, summary.attempts.total, summary.cost.possiblyBilledNanoUsd], [0, 24, 0]);
  assert.equal(world.simulator.bill().length, 24, 'the second payment is on the books, not a guess');
  world.check(summary);
});

test('null or wrong counts are ignored: the files decide', async (t) => {
  for (const counts of [null, { total: 12, completed: 0, failed: 12 }, { total: 1, completed: 1, failed: 0 }]) {
    const world = await makeWorld(t, { faults: [{ match: { batch: 1 }, do: { counts } }] });
    const { summary } = await world.run();
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.rows.ok, summary.batches.length], [0, 12, 1]);
    world.check(summary);
  }
});

test('an unknown status is waited out with a warning', { timeout: 20_000 }, async (t) => {
  const batchSeconds = 36_000;
  const world = await makeWorld(t, { faults: [{ match: { batch: 1 }, do: { showStatus: 'pondering' } }], batchSeconds });
  const looking = setInterval(() => {
    if (world.simulator.requests()['GET /v1/batches/:id'] === undefined) return;
    clearInterval(looking);
    void world.simulator.advance(batchSeconds * 200);
  }, 2);
  const warnings: string[] = [];
  const { summary } = await world.run({
    stopping: t.signal,
    warn(message) {
      warnings.push(message);
      if (/unknown status/.test(message)) void world.simulator.advance(batchSeconds * 1000);
    },
  });
  world.assertFaultsFired();
  assert.match(warnings.join('\n'), /unknown status "pondering"/);
  assert.deepEqual([summary.exitCode, summary.batches.length], [0, 1]);
  world.check(summary);
});

test('a status that goes back does no harm', async (t) => {
  const world = await makeWorld(t, { faults: [{ match: { batch: 1 }, do: { goBack: 2 } }] });
  const { summary } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, summary.batches.length], [0, 1]);
  world.check(summary);
});

test('polls and downloads survive every transient fault', async (t) => {
  const faults = [
    { match: { method: 'GET', path: '/v1/batches/*', nth: 1 }, do: { status: 500 } },
    { match: { method: 'GET', path: '/v1/batches/*', nth: 2 }, do: { html: 502 } },
    { match: { method: 'GET', path: '/v1/batches/*', nth: 3 }, do: { error: 'rate_limit_exceeded', headers: { 'retry-after': '2' } } },
    { match: { method: 'GET', path: '/v1/batches/*', nth: 4 }, do: { drop: 'before' } },
    { match: { method: 'GET', path: '/v1/batches/*', nth: 5 }, do: { html: 200 } },
    { match: { method: 'GET', path: '/v1/files/*/content', nth: 1 }, do: { status: 503 } },
    { match: { method: 'GET', path: '/v1/files/*/content', nth: 2 }, do: { drop: 'before' } },
    { match: { method: 'GET', path: '/v1/files/*/content', nth: 3 }, do: { error: 'rate_limit_exceeded' } },
  ];
  const world = await makeWorld(t, { faults });
  const { summary } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, summary.batches.length, summary.anomalies], [0, 1, {}]);
  world.check(summary);
  assert.equal(fs.readdirSync(`${world.stateDirectory}/responses`).length, 1);
});
