import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStateMoney } from '../src/inspect/state-money.ts';
import { readStatus } from '../src/inspect/status.ts';
import { verifyState } from '../src/inspect/verify/verify.ts';
import { SettledStore } from '../src/ledger/responses/settled-store.ts';
import { planJob } from '../src/run/plan/plan.ts';
import { makeReadOptionsOf } from './helpers/read-options.ts';
import { makeRows, makeWorld, renderCsv, type World } from './helpers/run-world.ts';

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

test('what an earlier version judged by other rules does not contradict itself: status and bill judge it again, and verify blames no summary for it', async (t) => {
  const faults = [
    ...[2, 5].map((row) => ({ match: { batch: 1, row }, do: { line: 'null_body' as const } })),
    { match: { batch: 1 }, do: { noUsage: true } },
  ];
  const world = await makeWorld(t, { job: 'on_unknown: hold', faults });
  const { summary } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.causes, summary.attempts.unknown], [{ unknown: 2 }, 2]);
  const options = makeReadOptionsOf(world);
  const listFailed = async () => (await verifyState(options)).checks.filter(({ status }) => status === 'failed').map(({ name }) => name);

  forgetUnknown(world, summary.run, {});
  assert.deepEqual(await listFailed(), ['possibly billed'], 'a summary by the rules of today has to list them');
  judgeAsBefore(world);
  forgetUnknown(world, summary.run, { input: 'of the earlier rules' });
  assert.deepEqual((await readStatus(options)).possiblyBilled, summary.possiblyBilled);
  const money = await openStateMoney({ directory: world.stateDirectory, job: 'proof' }, { ...options, jobFolder: world.directory });
  const { ledger, findPossiblyBilled } = await money.count();
  assert.deepEqual((await findPossiblyBilled(null)).items, summary.possiblyBilled, 'bill, without the job');
  await ledger.close();
  assert.deepEqual(await listFailed(), []);
  const again = await world.run();
  assert.deepEqual([again.summary.causes, again.summary.attempts.total], [{ unknown: 2 }, 0]);
  assert.deepEqual(await listFailed(), []);
});

/** Writes the records of a state as the version did that took a line without a body for a failure. */
function judgeAsBefore(world: World): void {
  const file = `${world.stateDirectory}/settled.jsonl`;
  const [head = '', ...lines] = world.read('.rowmill/proof@simulator/settled.jsonl').split('\n');
  assert.equal(lines.filter((line) => line.includes('"unknown"')).length, 2, 'what is judged otherwise now');
  const { repeats, anomalies, bytes, sha256, ...source } = JSON.parse(head);
  const store = new SettledStore({ file, access: 'write', tell: () => {} });
  const block = store.appendBlock({ file: source.file, bytes, sha256, rules: '045f82b5e24b2aae' }, { repeats, anomalies });
  block.write(lines.join('\n').replaceAll('"unknown"', '"server_error"'));
  block.finish();
  store.endReading();
  store.close();
}

/** Rewrites what a run stored as if it had known of no call without an answer. */
function forgetUnknown(world: World, run: string, changed: { readonly input?: string }): void {
  const name = `.rowmill/proof@simulator/runs/${run}/summary.json`;
  const { summary, fingerprint, ...others } = JSON.parse(world.read(name));
  const told = { ...summary, attempts: { ...summary.attempts, unknown: 0 }, possiblyBilled: undefined };
  world.write(name, JSON.stringify({ ...others, summary: told, fingerprint: { ...fingerprint, ...changed } }));
}
