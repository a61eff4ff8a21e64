import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../src/core/errors.ts';
import { examine } from '../src/inspect/doctor/examine.ts';
import type { Finding } from '../src/inspect/doctor/finding.ts';
import { planWorld } from './helpers/plan-world.ts';
import { makeWorld, type World } from './helpers/run-world.ts';

const TOLD = 'params.reasoning_effort: gpt-6-luna is not known to take minimal, only none, low, medium, high, xhigh and max';

/** What the doctor says of the job of a world, with nobody to connect to. */
function examineWorld({ directory, path, effects }: World): Promise<readonly Finding[]> {
  return examine({
    jobFile: path('job.yaml'),
    cwd: directory,
    stateRoot: null,
    target: {
      origin: 'simulator',
      baseUrl: null,
      connect: () => Promise.reject(new AppError('nobody is there', { code: 'none', exitCode: 4 })),
    },
    temporaryDirectory: directory,
    nodeVersion: process.versions.node,
    effects,
    signal: new AbortController().signal,
  });
}

for (const mode of ['batch', 'live'] as const) {
  test(`an unsupported effort causes a warning beforehand, and its rows fail with the provider's message: ${mode}`, async (t) => {
    const job = 'model: gpt-6-luna\nparams: { reasoning_effort: minimal, max_output_tokens: 2000 }';
    const world = await makeWorld(t, { job });
    const { problems } = await planWorld(world);
    assert.ok(problems.some(({ severity, message }) => severity === 'warning' && message === TOLD));
    const { summary, warnings } = await world.run({ overrides: { cwd: world.directory, input: null, out: null, mode } });
    assert.ok(warnings.includes(TOLD));
    assert.equal(summary.rows.ok, 0);
    assert.ok((summary.causes.bad_request ?? 0) > 0, JSON.stringify(summary.causes));
    assert.match(world.read(summary.outputs.failures ?? ''), /'reasoning_effort' does not support 'minimal' with this model/);
    assert.equal(summary.cost.nanoUsd, 0);
  });
}

test('doctor warns about parameters that the model may refuse, and reports those it is known to refuse as problems', async (t) => {
  const world = await makeWorld(t);
  for (const [params, found] of [
    ['{ reasoning_effort: minimal, max_output_tokens: 2000 }', [['warning', TOLD]]],
    [
      '{ temperature: 0 }',
      [
        [
          'problem',
          'params.temperature: gpt-6-luna is a reasoning model and takes only the default, 1; leave it out, or set params.reasoning_effort: none',
        ],
      ],
    ],
    ['{ reasoning_effort: none, temperature: 0 }', []],
  ] as const) {
    world.write(
      'job.yaml',
      world
        .read('job.yaml')
        .replace(/^(model|params): .*$/gm, (line) => (line.startsWith('model') ? 'model: gpt-6-luna' : `params: ${params}`)),
    );
    const findings = (await examineWorld(world)).filter(({ name }) => name === 'params');
    assert.deepEqual(
      findings.map(({ status, message }) => [status, message]),
      found,
    );
  }
});
