import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeReadOptions } from '../src/cli/read-options.ts';
import type { Summary } from '../src/core/summary.ts';
import { readFailures } from '../src/inspect/failures.ts';
import { readRowHistory } from '../src/inspect/row-history.ts';
import { readEvidence } from './helpers/run-evidence.ts';
import { makeWorld, type World } from './helpers/run-world.ts';
import { someOf, wideTest } from './helpers/wide.ts';

/** What `failures` and its like are told by default. */
const lookAt = (world: World) => ({ ...makeReadOptions(world.path('job.yaml'), {}), cwd: world.directory });

// biome-ignore lint/suspicious/noExplicitAny: bodies are read as they were sent.
type Body = any;

/** The bodies of the re-asks that were sent, by suffix. */
function readReasks(world: World, summary: Summary): Map<string, Body[]> {
  const reasks = new Map<string, Body[]>();
  for (const [customId, { body }] of readEvidence(world.checkOptions(summary)).sent) {
    const suffix = customId.slice(22);
    if (suffix !== '') reasks.set(suffix, [...(reasks.get(suffix) ?? []), JSON.parse(body)]);
  }
  return reasks;
}

/** The suffixes of everything on the bill. */
const readBilledSuffixes = (world: World) => new Set(world.simulator.bill().map(({ customId }) => (customId as string).slice(22)));

/** Answers that cannot be used as they are. */
const UNUSABLE = [
  'invalid_json',
  'wrong_schema',
  'duplicate_key',
  'not_a_number',
  'huge_number',
  'large_integer',
  'proto_key',
  'deep_nesting',
  'empty',
  'no_choices',
  'tool_calls',
];

for (const answer of someOf(UNUSABLE, 2)) {
  test(`an answer that is ${answer.replaceAll('_', ' ')} is retried with what was wrong, never repaired`, async (t) => {
    const world = await makeWorld(t, { faults: [{ match: { batch: 1, every: 4 }, do: { answer } }] });
    const { summary } = await world.run();
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.rows.ok, summary.attempts.total], [0, 12, 15]);
    const [reask] = readReasks(world, summary).get('-r1') ?? [];
    assert.match(reask.messages.at(-1).content, /cannot be used/);
    world.check(summary);
  });
}

for (const mode of someOf(['batch', 'live'] as const, 1)) {
  wideTest(`an answer in a code fence or after a lead-in is accepted without them, with a note: ${mode}`, async (t) => {
    const faults = [
      { match: { every: 4 }, do: { answer: 'fenced' } },
      { match: { every: 3 }, do: { answer: 'lead_in' } },
    ];
    const world = await makeWorld(t, { faults });
    const { summary } = await world.run({ overrides: { cwd: world.directory, input: null, out: null, mode } });
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.rows.ok, summary.attempts.total, summary.unwrapped], [0, 12, 12, 6]);
    if (mode === 'batch') world.check(summary);
    assert.ok(!world.read('out.csv').includes('```'));
    const found = await readFailures(lookAt(world), null);
    assert.equal(found.unwrapped?.count, 6);
    const { attempts } = await readRowHistory(lookAt(world), found.unwrapped?.example.id ?? '');
    assert.deepEqual(
      attempts.map(({ outcome, message }) => [outcome, message]),
      [['ok', found.unwrapped?.example.message]],
    );
    assert.match(found.unwrapped?.example.message ?? '', /^(a code fence|text) around the JSON was removed$/);
  });
}

for (const [answer, output] of someOf(
  [
    ['huge_number', 'score: number'],
    ['large_integer', 'score: integer'],
    ['large_integer', 'score: number'],
    ['not_a_number', 'score: number'],
    ['lone_surrogate', 'label: string'],
  ] as const,
  1,
)) {
  test(`${answer.replaceAll('_', ' ')} in a ${output} does not reach the table in another shape`, async (t) => {
    const job = `output: { ${output} }\nretry: { attempts: 1 }`;
    const world = await makeWorld(t, { job, faults: [{ match: { every: 4 }, do: { answer } }] });
    const { summary } = await world.run();
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.causes, summary.rows.ok], [3, { invalid: 3 }, 9]);
    world.check(summary, {
      answerColumns: [output.split(':')[0] as string],
      isAnswer: ({ score }) => score === undefined || Number.isSafeInteger(score),
    });
  });
}

test('an answer that stays invalid fails after as many attempts as the job allows, each paid for and kept', async (t) => {
  const world = await makeWorld(t, { job: 'retry: { attempts: 3 }', faults: [{ do: { answer: 'invalid_json' } }] });
  const { summary } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, summary.causes, summary.attempts.total], [3, { invalid: 12 }, 36]);
  assert.deepEqual(readBilledSuffixes(world), new Set(['', '-r1', '-r2']));
  assert.equal(summary.cost.failedRowsNanoUsd, summary.cost.nanoUsd);
  const second = readReasks(world, summary).get('-r2')?.[0];
  assert.equal(second.messages.filter(({ role }: { role: string }) => role === 'assistant').length, 1, 'it sees its last answer');
  world.check(summary);
});

test('a truncated answer is retried with twice the cap', async (t) => {
  const world = await makeWorld(t, { faults: [{ match: { every: 6 }, do: { answer: 'length' }, times: 3 }] });
  const { summary } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, summary.rows.ok], [0, 12]);
  const reasks = readReasks(world, summary);
  assert.ok(reasks.get('-r1')?.every((body) => body.max_completion_tokens === 200));
  world.check(summary);
});

test('a truncated answer without a cap cannot get more room and fails at once', async (t) => {
  const world = await makeWorld(t, { job: 'params: { temperature: 0 }', faults: [{ match: { every: 6 }, do: { answer: 'length' } }] });
  const { summary } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, summary.causes, summary.attempts.total], [3, { truncated: 2 }, 12]);
  world.check(summary);
});

for (const [answer, cause] of someOf(
  [
    ['refusal', 'refused'],
    ['content_filter', 'filtered'],
  ] as const,
  1,
)) {
  test(`${answer.replace('_', ' ')} is paid for once and not retried`, async (t) => {
    const world = await makeWorld(t, { faults: [{ match: { every: 4 }, do: { answer } }] });
    const { summary } = await world.run();
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.causes, summary.attempts.total], [3, { [cause]: 3 }, 12]);
    assert.ok(summary.cost.failedRowsNanoUsd > 0);
    world.check(summary);
  });
}

for (const [status, cause] of someOf(
  [
    [500, 'server_error'],
    [503, 'server_error'],
    [409, 'server_error'],
    [408, 'timeout'],
  ] as const,
  1,
)) {
  test(`a row that got ${status} is sent again under the same id, and fails as ${cause} when its attempts are used up`, async (t) => {
    const world = await makeWorld(t, { faults: [{ match: { batch: 1, every: 4 }, do: { rowStatus: status } }] });
    const { summary } = await world.run();
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.rows.ok, summary.attempts.total], [0, 12, 15]);
    assert.equal(readReasks(world, summary).size, 0);
    world.check(summary);

    const stubborn = await makeWorld(t, { faults: [{ match: { custom_id: '*' }, do: { rowStatus: status } }] });
    const failed = await stubborn.run();
    stubborn.assertFaultsFired();
    assert.deepEqual([failed.summary.exitCode, failed.summary.causes, failed.summary.attempts.total], [3, { [cause]: 12 }, 36]);
    stubborn.check(failed.summary);
  });
}

for (const answer of someOf(['usage_missing', 'usage_negative', 'usage_fraction'], 1)) {
  test(`an answer with ${answer.replace('_', ' ')} is kept, and its cost is unknown, not zero`, async (t) => {
    const world = await makeWorld(t, { faults: [{ match: { every: 6 }, do: { answer } }] });
    const { summary } = await world.run();
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.rows.ok, summary.cost.unpricedAttempts], [0, 12, 2]);
    world.check(summary);
  });
}

wideTest('retry with another cap uses a re-ask id and keeps the old answer until it succeeds', async (t) => {
  const faults = [{ match: { batch: 1, every: 4 }, do: { answer: 'length' } }];
  const world = await makeWorld(t, { job: 'retry: { attempts: 1 }', faults });
  const first = await world.run();
  world.assertFaultsFired();
  assert.deepEqual(first.summary.causes, { truncated: 3 });
  const retried = await world.run({ reopen: { causes: new Set(['truncated']), set: { max_output_tokens: 400 } } });
  assert.deepEqual([retried.summary.exitCode, retried.summary.attempts.total, retried.summary.rows.new], [0, 3, 3]);
  world.check(retried.summary);
});
