import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderPlan } from '../src/cli/render/render-plan.ts';
import { examine } from '../src/inspect/doctor/examine.ts';
import type { Finding } from '../src/inspect/doctor/finding.ts';
import { createProvider } from '../src/openai/provider.ts';
import { formatDollars } from '../src/output/format-numbers.ts';
import { PLAIN_LOOK } from './helpers/plain-look.ts';
import { planWorld } from './helpers/plan-world.ts';
import { CANARY_KEY, makeJobText, makeWorld, type World } from './helpers/run-world.ts';
import { someOf, wideTest } from './helpers/wide.ts';

/** The plan of the world's job on a day, at OpenAI itself unless `origin` says otherwise. */
function planOn(world: World, day: string, origin = 'default') {
  const effects = { ...world.effects, clock: () => new Date(`${day}T23:30:00Z`) };
  return planWorld(world, { type: 'all' }, { target: { origin }, effects });
}

test('a plan shows when the model ends, its successor and what the job costs there, only at addresses where that applies', async (t) => {
  const world = await makeWorld(t);
  const plan = await planOn(world, '2026-11-29');
  const { modelEnd, cost } = plan;
  assert.ok(modelEnd !== null && modelEnd.successor !== null && cost.batch !== null);
  assert.deepEqual([modelEnd.model, modelEnd.endsOn, modelEnd.daysLeft], ['gpt-4o-mini', '2027-01-14', 46]);
  // The same requests under the name of the successor.
  world.write('job.yaml', makeJobText('model: gpt-6-luna'));
  const there = await planOn(world, '2026-11-29');
  assert.equal(there.modelEnd, null);
  const expected = modelEnd.successor.cost.batch?.expectedNanoUsd ?? 0;
  assert.ok(Math.abs(expected / (there.cost.batch?.expectedNanoUsd ?? 0) - 1) < 0.05, 'the estimate is that of the successor');
  const sentence = `gpt-4o-mini ends on 2027-01-14 (in 46 days); today’s successor is gpt-6-luna: this job would cost ${formatDollars(expected)} there instead of ${formatDollars(cost.batch.expectedNanoUsd)}; gpt-6-luna reasons first, which is billed as output and uses up params.max_output_tokens; params.reasoning_effort: none lets it answer at once`;
  assert.equal(modelEnd.message, sentence);
  assert.ok(plan.problems.some(({ severity, message }) => severity === 'warning' && message === sentence));
  assert.ok(renderPlan(plan, PLAIN_LOOK).includes(`warning: ${sentence}`));
});

const WORDS: readonly (readonly [model: string, day: string, origin: string, said: RegExp | null])[] = [
  ['gpt-4o-mini', '2027-01-13', 'default', /^gpt-4o-mini ends on 2027-01-14 \(in 1 day\); today’s successor is gpt-6-luna: this job/],
  ['gpt-4o-mini', '2027-01-14', 'default', /^gpt-4o-mini ends on 2027-01-14 \(today\); /],
  ['gpt-4o-mini', '2027-01-15', 'default', /^gpt-4o-mini ended on 2027-01-14; today’s successor is gpt-6-luna: this job/],
  [
    'gpt-4o-2024-05-13',
    '2026-11-29',
    'eu.api.openai.com',
    /^gpt-4o-2024-05-13 ended on 2026-10-23; today’s successor is gpt-6-luna: .* instead of \$/,
  ],
  [
    'ft:gpt-4o-mini-2024-07-18:acme::x1',
    '2026-11-29',
    'default',
    /^ft:gpt-4o-mini-2024-07-18:acme::x1 ends on 2027-01-14 \(in 46 days\) with its base gpt-4o-mini-2024-07-18; /,
  ],
  ['gpt-4o-mini', '2027-01-15', 'simulator', null],
  ['gpt-4o-mini', '2027-01-15', 'api.openai.com.example.org', null],
  ['gpt-4o-mini', '2027-01-15', 'acme.openai.azure.com-_openai_v1', null],
  ['gpt-5.6-luna', '2027-01-15', 'default', null],
];

test('what is reported before, on and after the day, and for which addresses', async (t) => {
  const world = await makeWorld(t, { rows: [['r1', 'A note']] });
  for (const [model, day, origin, said] of WORDS) {
    world.write('job.yaml', makeJobText(`model: ${model}`));
    const { modelEnd, problems } = await planOn(world, day, origin);
    if (said === null) assert.equal(modelEnd, null, `${model} at ${origin}`);
    else assert.match(modelEnd?.message ?? '', said);
    assert.equal(problems.filter(({ message }) => / end(s|ed) on /.test(message)).length, said === null ? 0 : 1);
  }
});

const REFUSED: readonly (readonly [job: string, refuses: readonly RegExp[]])[] = [
  [
    'params: { temperature: 0, max_output_tokens: 2000 }',
    [
      /^params\.temperature: gpt-6-luna is a reasoning model and takes only the default, 1; leave it out, or set params\.reasoning_effort: none$/,
    ],
  ],
  ['params: { temperature: 1, max_output_tokens: 2000 }', [/^gpt-6-luna reasons first/]],
  ['params: { stop: END, max_output_tokens: 100 }', [/refuse stop: leave it out, or set params\.reasoning_effort: none/]],
  [
    'model: gpt-5-mini\nparams: { reasoning_effort: minimal, max_output_tokens: 100 }',
    [/^params\.reasoning_effort: gpt-6\.1-terra is not known to take minimal, only none, low/],
  ],
  ['model: o1\nparams: { reasoning_effort: low, max_output_tokens: 2000 }', []],
];

wideTest('parameters of the job that the successor would refuse are listed with it', async (t) => {
  const world = await makeWorld(t, { rows: [['r1', 'A note']] });
  for (const [job, refuses] of REFUSED) {
    world.write('job.yaml', makeJobText(job));
    const { modelEnd } = await planOn(world, '2026-11-29');
    const told = modelEnd?.successor?.refuses ?? [];
    assert.equal(told.length, refuses.length, `${job}: ${told.join(' | ')}`);
    for (const [index, words] of refuses.entries()) assert.match(told[index] ?? '', words);
    assert.ok(modelEnd?.message.endsWith(told.join('; ')));
  }
});

test('a run reports it before it begins, and runs anyway', async (t) => {
  const world = await makeWorld(t, { rows: [['r1', 'A note']] });
  const { summary, warnings } = await world.run({ origin: 'default' });
  assert.equal(summary.exitCode, 0);
  assert.equal(warnings.filter((message) => /^gpt-4o-mini end(s|ed) on 2027-01-14/.test(message)).length, 1);
});

/** What the doctor says of the model's end on 2026-11-29. */
async function examineWorld(world: World, origin: string): Promise<Finding | undefined> {
  const effects = { ...world.effects, clock: () => new Date('2026-11-29T12:00:00Z') };
  const findings = await examine({
    jobFile: world.path('job.yaml'),
    cwd: world.directory,
    stateRoot: null,
    target: {
      origin,
      baseUrl: null,
      connect: async () => ({
        provider: await createProvider({ apiKey: CANARY_KEY, baseUrl: world.simulator.url, ...effects }),
        close: async () => {},
      }),
    },
    temporaryDirectory: world.directory,
    nodeVersion: process.versions.node,
    effects,
    signal: new AbortController().signal,
  });
  return findings.find(({ name }) => name === 'end');
}

const TOLD = { shutdownDates: { 'gpt-4o-mini': '2027-02-01', 'gpt-6-luna': '2030-01-01' } };
const DOCTOR: readonly {
  readonly name: string;
  readonly faults?: readonly object[];
  readonly origin?: string;
  readonly job?: string;
  readonly said: RegExp | null;
}[] = [
  {
    name: 'the list has it',
    faults: [{ match: { path: '/v1/models' }, do: TOLD }],
    said: /^gpt-4o-mini ends on 2027-02-01 \(in 64 days\); .* instead of \$0/,
  },
  {
    name: 'only the model itself has it',
    faults: [{ match: { path: '/v1/models/gpt-4o-mini' }, do: TOLD }],
    said: /^gpt-4o-mini ends on 2027-02-01 /,
  },
  {
    name: 'the base of a fine-tuned model has it',
    faults: [{ match: { path: '/v1/models' }, do: TOLD }],
    job: makeJobText('model: "ft:gpt-4o-mini:acme::x1"'),
    said: /^ft:gpt-4o-mini:acme::x1 ends on 2027-02-01 .*; today’s successor is gpt-6-luna: /,
  },
  {
    name: 'a model without a known successor',
    faults: [{ match: { path: '/v1/models' }, do: TOLD }],
    job: makeJobText('model: gpt-6-luna'),
    said: /^gpt-6-luna ends on 2030-01-01 \(in 1129 days\)$/,
  },
  { name: 'the table knows it', origin: 'default', said: /^gpt-4o-mini ends on 2027-01-14 \(in 46 days\); .* instead of \$0/ },
  {
    name: 'a job that cannot be planned',
    origin: 'default',
    job: makeJobText().replace('in.csv', 'no.csv'),
    said: /^gpt-4o-mini ends on 2027-01-14 \(in 46 days\); today’s successor is gpt-6-luna; gpt-6-luna reasons/,
  },
  {
    name: 'the address says that no end is announced',
    origin: 'default',
    faults: [{ match: { path: '/v1/models' }, do: { shutdownDates: { 'gpt-4o-mini': null } } }],
    said: null,
  },
  { name: 'no source has it, and the address is not OpenAI’s', said: null },
];

wideTest('doctor believes the address about a model’s end rather than the table, and warns about it', async (t) => {
  const world = await makeWorld(t, { rows: [['r1', 'A note']] });
  for (const { name, faults = [], origin = 'simulator', job = makeJobText(), said } of someOf(DOCTOR, 3)) {
    await world.restart({ faults });
    world.write('job.yaml', job);
    const finding = await examineWorld(world, origin);
    world.assertFaultsFired();
    if (said === null) assert.equal(finding, undefined, name);
    else {
      assert.match(finding?.message ?? '', said, name);
      assert.deepEqual([finding?.status, finding?.modelEnd?.message], ['warning', finding?.message]);
    }
  }
});

const ENDED = 'gpt-4o-2024-05-13';
const GONE = {
  error: {
    message: `The model ${ENDED} does not exist or you do not have access to it.`,
    code: 'model_not_found',
    type: 'invalid_request_error',
  },
};
const REFUSALS: readonly { readonly name: string; readonly mode: 'batch' | 'live'; readonly fault: object }[] = [
  { name: '404 of a call', mode: 'live', fault: { match: { path: '/v1/chat/*' }, do: { status: 404, body: GONE } } },
  { name: '403 of a call', mode: 'live', fault: { match: { path: '/v1/chat/*' }, do: { status: 403, body: GONE } } },
  { name: '400 of a creation', mode: 'batch', fault: { match: { method: 'POST', path: '/v1/batches' }, do: { status: 400, body: GONE } } },
  {
    name: 'the lines of a batch in progress',
    mode: 'batch',
    fault: { match: {}, do: { rowStatus: 404, code: 'model_not_found', message: GONE.error.message } },
  },
  {
    name: 'the validation of a batch',
    mode: 'batch',
    fault: { match: {}, do: { fail: 'model_not_found', message: 'The provided model is not supported by the Batch API.', lines: [1] } },
  },
];

wideTest('a refused model stops the run with exit 4 and says when it ended; no row is affected', async (t) => {
  const world = await makeWorld(t, { rows: [['r1', 'A note']], job: `model: ${ENDED}` });
  await world.run();
  world.write('in.csv', 'id,text\nr1,A note\nr2,Another one\n');
  for (const { name, mode, fault } of someOf(REFUSALS, 3)) {
    await world.restart({ faults: [fault] });
    const { summary } = await world.run({ overrides: { cwd: world.directory, input: null, out: null, mode } });
    world.assertFaultsFired();
    assert.equal(summary.exitCode, 4, name);
    assert.match(
      summary.verdict,
      /(does not offer this model: (40\d|model_not_found:) The model|refuses this job: model_not_found: The provided model) .*; gpt-4o-2024-05-13 ended on 2026-10-23 at OpenAI; today’s successor is gpt-6-luna: this job would cost \$0\.\d+ there instead of \$0\.\d+; /,
    );
    assert.deepEqual([summary.rows.ok, summary.rows.failed, summary.rows.pending], [1, 0, 1], name);
  }
  await world.restart({});
  const { summary } = await world.run();
  assert.deepEqual(
    [summary.exitCode, summary.rows.ok, summary.ledger.attempts],
    [0, 2, 2],
    'where the model is there again, the run goes on',
  );
});

test('the check before answers are replaced reports it too', async (t) => {
  const world = await makeWorld(t, { rows: [['r1', 'A note']], job: `model: ${ENDED}` });
  const models = { object: 'list', data: [{ id: 'gpt-6-luna', object: 'model' }] };
  await world.restart({ faults: [{ match: { path: '/v1/models' }, do: { status: 200, body: models } }] });
  await assert.rejects(
    world.run({ origin: 'default', isFresh: true }),
    /does not offer gpt-4o-2024-05-13 to this key; nothing was sent; gpt-4o-2024-05-13 ended on 2026-10-23; today’s/,
  );
  world.assertFaultsFired();
});
