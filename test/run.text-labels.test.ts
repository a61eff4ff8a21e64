import assert from 'node:assert/strict';
import { makeReadOptions } from '../src/cli/read-options.ts';
import { defineJob } from '../src/index.ts';
import { evaluateAnswers } from '../src/inspect/quality/evaluate.ts';
import { sampleRows } from '../src/inspect/quality/sample.ts';
import { readRowHistory } from '../src/inspect/row-history.ts';
import { makeRows, makeWorld, renderCsv, type World } from './helpers/run-world.ts';
import { someOf, wideTest } from './helpers/wide.ts';

const LABELS = ['fine', 'awful', 'so-so'];
const JOB = `output: text
labels: [${LABELS.join(', ')}]
write: { path: out.jsonl }
prompt:
  system: "Answer with exactly one label:{% for label in labels %}\\n- {{ label.name }}{% endfor %}"
  user: "{{ text }}"`;

const lookAt = (world: World) => ({ ...makeReadOptions(world.path('job.yaml'), {}), cwd: world.directory });
const readAnswers = (world: World) =>
  world
    .read('out.jsonl')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly id: string; readonly answer: string; readonly _status: string });

for (const mode of someOf(['batch', 'live'] as const, 1)) {
  const start = (world: World) => world.run({ overrides: { cwd: world.directory, input: null, out: null, mode } });

  wideTest(`a text that is not a label is retried with the list; blanks around a label are ignored: ${mode}`, async (t) => {
    const faults = [
      { match: { every: 3 }, do: { answerText: 'Fine.' }, times: 3 },
      { match: { every: 4 }, do: { answerText: '\n awful \n' }, times: 2 },
    ];
    const world = await makeWorld(t, { rows: makeRows(12), job: JOB, faults });
    const { summary } = await start(world);
    world.assertFaultsFired();
    assert.deepEqual([summary.exitCode, summary.rows.ok, summary.attempts.total, world.simulator.bill().length], [0, 12, 15, 15]);
    for (const { answer } of readAnswers(world)) assert.ok(LABELS.includes(answer), JSON.stringify(answer));
    const histories = await Promise.all(makeRows(12).map(([id]) => readRowHistory(lookAt(world), id)));
    const invalid = histories.flatMap(({ attempts }) => attempts).filter(({ outcome }) => outcome === 'invalid');
    assert.deepEqual(
      invalid.map(({ message }) => message),
      Array(3).fill('the answer must be one of "fine", "awful", "so-so", not "Fine."'),
    );
  });

  wideTest(`a text that is never a label fails as invalid after all its attempts: ${mode}`, async (t) => {
    const world = await makeWorld(t, { rows: makeRows(2), job: JOB, faults: [{ do: { answerText: 'FINE' } }] });
    const { summary } = await start(world);
    assert.deepEqual([summary.exitCode, summary.causes, summary.attempts.total], [3, { invalid: 2 }, 6]);
  });
}

wideTest('eval and sample know the labels of a text', async (t) => {
  const world = await makeWorld(t, { rows: [], job: JOB });
  world.write(
    'in.csv',
    renderCsv(
      makeRows(9).map(([id, text]) => [id, text, 'fine']),
      ['id', 'text', 'team'],
    ),
  );
  const { summary } = await world.run();
  assert.equal(summary.rows.ok, 9);
  const right = readAnswers(world).filter(({ answer }) => answer === 'fine').length;
  const { evaluation } = await evaluateAnswers(lookAt(world), { gold: 'team', field: null, run: null, csv: null, seed: 1 });
  assert.deepEqual([evaluation.field, evaluation.accuracy], ['answer', right / 9]);
  const { sample } = await sampleRows(lookAt(world), { rows: 3, seed: 1, by: 'answer', field: null });
  assert.deepEqual(sample.labels, LABELS);
});

wideTest('stored answers are judged again, at no cost, when only the labels change', async (t) => {
  const job = JOB.replace('{% for label in labels %}\\n- {{ label.name }}{% endfor %}', '\\n- fine\\n- awful\\n- so-so');
  const world = await makeWorld(t, { rows: makeRows(6), job });
  await world.run();
  assert.equal(world.simulator.bill().length, 6);
  const awful = readAnswers(world).filter(({ answer }) => answer === 'awful').length;
  assert.ok(awful > 0 && awful < 6);
  world.write('job.yaml', world.read('job.yaml').replace('[fine, awful, so-so]', '[fine, so-so]').concat('\nretry: { attempts: 1 }'));
  const { summary } = await world.run();
  assert.deepEqual([summary.rows.ok, summary.causes, world.simulator.bill().length], [6 - awful, { invalid: awful }, 6]);
});

wideTest('text labels that collapse into one are reported during the run', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(50), faults: [{ do: { answerText: 'other' } }] });
  process.env.OPENAI_API_KEY = 'sk-text-labels';
  t.after(() => delete process.env.OPENAI_API_KEY);
  const warnings: string[] = [];
  const job = defineJob({
    name: 'notes',
    directory: world.directory,
    input: { path: 'in.csv', columns: ['text'] },
    model: 'gpt-4o-mini',
    mode: 'live',
    prompt: (row) => `good, bad or other? ${row.text}`,
    labels: ['good', 'bad', 'other'],
    output: 'text',
  });
  const { summary } = await job.run({ baseUrl: world.simulator.url, onWarning: (message) => warnings.push(message) });
  assert.deepEqual(
    [summary.rows.ok, warnings],
    [50, ['50 of the first 50 labels are "other"; if that is wrong, stop and change the prompt']],
  );
});
