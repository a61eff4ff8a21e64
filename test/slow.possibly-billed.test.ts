import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readStatus } from '../src/inspect/status.ts';
import { verifyState } from '../src/inspect/verify/verify.ts';
import { renderSummary } from '../src/output/render-summary.ts';
import { makeReadOptionsOf } from './helpers/read-options.ts';
import { makeWorld, type World } from './helpers/run-world.ts';

const onCreate = { method: 'POST', path: '/v1/batches', nth: 1 };
const LATE_MS = 10 * 86_400_000;

/** What `status` and `verify` say of a world's state. */
async function look(world: World) {
  const options = makeReadOptionsOf(world);
  const { possiblyBilled, cost } = await readStatus(options);
  const { ok, checks } = await verifyState(options);
  const said = checks.find(({ name }) => name === 'possibly billed')?.detail ?? '';
  return { possiblyBilled, cost, ok, said };
}

for (const counts of ['told', 'null'] as const) {
  test(`missing lines without usage may have been billed, and every command says so (counts ${counts})`, async (t) => {
    const world = await makeWorld(t, {
      faults: [
        { match: { batch: 1, row: 2 }, do: { line: 'lost' } },
        { match: { batch: 1, row: 5 }, do: { line: 'lost' } },
        { match: { batch: 1 }, do: { noUsage: true } },
        ...(counts === 'null' ? [{ match: { batch: 1 }, do: { counts: null } }] : []),
      ],
    });
    const { summary, warnings } = await world.run();
    world.assertFaultsFired();
    const first = summary.batches[0]?.id;
    const bill = world.simulator.bill();
    assert.deepEqual([summary.exitCode, summary.rows.ok, bill.length], [0, 12, 14]);
    const times = new Map<string, number>();
    for (const { customId } of bill) times.set(String(customId), (times.get(String(customId)) ?? 0) + 1);
    const twice = [...times].filter(([, count]) => count === 2).map(([id]) => id);
    assert.deepEqual(
      summary.possiblyBilled?.map(({ why, id, calls, keys }) => ({ why, id, calls, keys: keys.toSorted() })),
      [{ why: 'missing_lines', id: first, calls: 2, keys: twice.toSorted() }],
    );
    assert.equal(summary.attempts.unknown, 2);
    assert.ok(summary.cost.possiblyBilledNanoUsd >= (summary.cost.nanoUsd / 12) * 2, 'an upper bound of what two such rows cost');
    assert.match(warnings.join('\n'), /2 of its requests have no answer in its files, and it reports no usage/);
    assert.match(
      renderSummary(summary, { colour: false, full: false }),
      /^maybe .*\n.*2 requests without an answer in the files of batch_/m,
    );
    assert.match(world.read('out.report.html'), /2 requests without an answer in the files of batch_/);
    const seen = await look(world);
    assert.deepEqual([seen.possiblyBilled, seen.ok], [summary.possiblyBilled, true]);
    assert.match(seen.said, /^2 calls of the run without an answer, in no sum above: at most \$/);
    world.check(summary, { destroyedLines: 2 });
  });
}

test('missing lines were not billed if the batch reports the usage of the others', async (t) => {
  const world = await makeWorld(t, { faults: [{ match: { batch: 1, row: 3 }, do: { line: 'missing' } }] });
  const { summary } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, summary.possiblyBilled, summary.attempts.total], [0, undefined, 12]);
  world.check(summary);
});

test('answers without a body that a batch counts in its usage are listed one by one, with their cost', async (t) => {
  const world = await makeWorld(t, {
    faults: [2, 5, 7].map((row) => ({ match: { batch: 1, row }, do: { line: row === 7 ? 'lost' : 'null_body' } })),
  });
  const { summary } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, summary.rows.ok, world.simulator.bill().length], [0, 12, 15]);
  assert.deepEqual(
    summary.possiblyBilled?.map(({ why, calls }) => [why, calls]),
    [['usage_beyond_lines', 3]],
  );
  assert.deepEqual([summary.attempts.total, summary.attempts.unknown], [15, 3]);
  world.check(summary, { destroyedLines: 3 });
});

test('answers without a body are listed also if another line of their batch tells no usage', async (t) => {
  const world = await makeWorld(t, {
    job: 'on_unknown: hold',
    faults: [
      ...[2, 5].map((row) => ({ match: { batch: 1, row }, do: { line: 'null_body' as const } })),
      { match: { batch: 1, row: 7 }, do: { answer: 'usage_missing' } },
    ],
  });
  const { summary } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual(
    summary.possiblyBilled?.map(({ why, calls }) => [why, calls]),
    [['usage_beyond_lines', 2]],
  );
  assert.deepEqual([summary.attempts.total, summary.attempts.unknown, summary.cost.unpricedAttempts], [12, 2, 1]);
  const seen = await look(world);
  assert.deepEqual([seen.possiblyBilled, seen.ok], [summary.possiblyBilled, true]);
  assert.match(seen.said, /^2 calls of the run without an answer/);
});

for (const usage of ['noUsage', 'zeroUsage'] as const) {
  test(`answers without a body, and missing lines, may have been billed if the batch does not tell its usage (${usage})`, async (t) => {
    const world = await makeWorld(t, {
      faults: [
        ...[2, 5, 7].map((row) => ({ match: { batch: 1, row }, do: { line: row === 7 ? ('lost' as const) : ('null_body' as const) } })),
        { match: { batch: 1 }, do: { [usage]: true } },
        { match: { batch: 2, row: 1 }, do: { line: 'null_body' } },
      ],
    });
    const { summary, warnings } = await world.run();
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.rows.ok, world.simulator.bill().length], [0, 12, 16]);
    assert.deepEqual(
      summary.possiblyBilled?.map(({ why, calls, keys }) => [why, calls, keys.length]),
      [
        ['missing_lines', 3, 3],
        ['usage_beyond_lines', 1, 0],
      ],
    );
    assert.deepEqual([summary.attempts.total, summary.attempts.unknown], [16, 4]);
    assert.ok(summary.cost.possiblyBilledNanoUsd >= (summary.cost.nanoUsd / 12) * 4, 'an upper bound of what four such rows cost');
    assert.match(warnings.join('\n'), /3 (of its requests have no answer in its files|requests without an answer may have been billed)/);
    const seen = await look(world);
    // Zeros are less than the lines of the batch, which `verify` names.
    assert.deepEqual([seen.possiblyBilled, seen.ok], [summary.possiblyBilled, usage === 'noUsage']);
    world.check(summary, { destroyedLines: 4 });
  });
}

test('a usage of zeros proves nothing: missing lines may have been billed', async (t) => {
  const world = await makeWorld(t, { faults: [{ match: { batch: 1, row: 3 }, do: { line: 'lost' } }, { do: { zeroUsage: true } }] });
  const { summary } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual(
    summary.possiblyBilled?.map(({ why, calls }) => [why, calls]),
    [['missing_lines', 1]],
  );
  world.check(summary, { destroyedLines: 1 });
});

test('a create that no search found is counted until its batch appears: then it is an extra batch, exact to the nano-dollar', async (t) => {
  const world = await makeWorld(t, {
    faults: [
      { match: onCreate, do: { drop: 'after' } },
      { match: { batch: 1 }, do: { listLagMs: LATE_MS } },
    ],
  });
  const { summary, warnings } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, summary.rows.ok, world.simulator.bill().length], [0, 12, 24]);
  assert.match(warnings.join('\n'), /no look found a batch of file 000001/);
  assert.deepEqual(
    summary.possiblyBilled?.map(({ why, id, calls, keys }) => [why, id, calls, keys.length]),
    [['create_not_found', '000001', 12, 12]],
  );
  assert.deepEqual([summary.attempts.unknown, summary.attempts.total], [12, 24]);
  assert.ok(summary.cost.possiblyBilledNanoUsd >= summary.cost.nanoUsd);
  assert.match(
    renderSummary(summary, { colour: false, full: false }),
    /12 requests of batch file 000001, if the creation of its batch that no look found/,
  );
  const before = await look(world);
  assert.deepEqual([before.possiblyBilled, before.ok], [summary.possiblyBilled, true]);
  assert.match(before.said, /file 000001/);

  const table = world.read('out.csv');
  const again = await world.run();
  assert.deepEqual([again.summary.attempts.total, (again.requests['GET /v1/batches'] ?? 0) > 0], [0, true], 'it is looked for');
  assert.equal(world.read('out.csv'), table, 'and as long as it is not there the run is done');

  await world.simulator.advance(LATE_MS);
  const later = await world.run();
  assert.match(later.warnings.join('\n'), /repeats one of ours/);
  assert.deepEqual([later.summary.exitCode, later.requests['POST /v1/batches'], later.summary.ledger.attempts], [0, undefined, 24]);
  const after = await look(world);
  assert.deepEqual([after.possiblyBilled, after.cost.possiblyBilledNanoUsd, after.ok], [[], 0, true]);
});

test('a budget reserves what a lost create may have cost before it is repeated', async (t) => {
  const faults = [
    { match: onCreate, do: { drop: 'after' } },
    { match: { batch: 1 }, do: { listLagMs: LATE_MS } },
  ];
  const free = await makeWorld(t);
  const { summary: plain } = await free.run();
  const bound = await (async () => {
    const world = await makeWorld(t, { faults });
    return (await world.run()).summary.cost.possiblyBilledNanoUsd;
  })();
  const world = await makeWorld(t, { faults });
  const tight = await world.run({ maxNanoUsd: Math.floor(bound * 1.5) });
  world.assertFaultsFired();
  assert.deepEqual([tight.summary.exitCode, tight.requests['POST /v1/batches'], tight.summary.rows.pending], [5, 1, 12]);
  const billed = world.simulator.bill().length;
  assert.ok(billed <= 12, `${billed} calls billed`);
  const wide = await world.run({ maxNanoUsd: bound * 3 });
  assert.deepEqual([wide.summary.exitCode, wide.summary.cost.nanoUsd], [0, plain.cost.nanoUsd]);
});
