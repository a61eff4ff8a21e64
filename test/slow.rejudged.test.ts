import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planJob } from '../src/run/plan/plan.ts';
import { makeRows, makeWorld, renderCsv } from './helpers/run-world.ts';

const makeOutput = (score: object) => `output: ${JSON.stringify({ json: 'object', schema: { type: 'object', properties: { score } } })}`;
const LOST = /^6 stored answers that were ok are invalid under the current rules; rowmill failures says why, and retry sends them again$/;

const job = (score: object, prompt = 'Reply in JSON with \\"score\\": {{ text }}') =>
  [
    'name: proof',
    'input: { path: in.csv, id: id }',
    'model: gpt-4o-mini',
    'mode: batch',
    `prompt: "${prompt}"`,
    makeOutput(score),
    'write: { path: out.csv, keep: all }',
  ].join('\n');

test('answers that a stricter schema invalidates are reported by plan and run, judged at no cost, and not sent again automatically', async (t) => {
  const faults = [{ match: { every: 2 }, do: { answerText: '{"score":7}' } }, { do: { answerText: '{"score":0}' } }];
  const world = await makeWorld(t, { rows: makeRows(12), faults });
  world.write('job.yaml', job({ type: 'number' }));
  const first = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([first.summary.rows.ok, first.warnings], [12, []]);

  world.write('job.yaml', job({ type: 'number', maximum: 1 }));
  const { problems } = await planJob({
    jobFile: world.path('job.yaml'),
    overrides: { cwd: world.directory, input: null, out: null, mode: null },
    stateRoot: null,
    target: { origin: 'simulator' },
    stdin: null,
    selection: { type: 'all' },
    isFresh: false,
    reopen: null,
    effects: world.effects,
    priceAsOf: null,
    signal: new AbortController().signal,
  });
  assert.ok(problems.some(({ message }) => LOST.test(message)));
  const second = await world.run();
  assert.ok(
    second.warnings.some((warning) => LOST.test(warning)),
    second.warnings.join('\n'),
  );
  assert.deepEqual([second.summary.rows.ok, second.summary.causes, second.summary.attempts.total], [6, { invalid: 6 }, 0]);
  assert.equal(world.simulator.bill().length, 12);
  assert.deepEqual((await world.run()).warnings, []);
});

test('answers to requests that no row makes any more are not reported: only remaining rows count, and none with another prompt', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(12), faults: [{ do: { answerText: '{"score":7}' } }] });
  world.write('job.yaml', job({ type: 'number' }));
  await world.run();
  world.assertFaultsFired();

  world.write('in.csv', renderCsv(makeRows(12).slice(6)));
  world.write('job.yaml', job({ type: 'number', maximum: 1 }));
  assert.match((await world.run()).warnings.join('\n'), LOST);

  await world.restart({});
  world.write('job.yaml', job({ type: 'number', maximum: 0.5 }, 'In JSON, its \\"score\\": {{ text }}'));
  assert.deepEqual(
    (await world.run()).warnings.filter((warning) => warning.includes('stored')),
    [],
  );
});
