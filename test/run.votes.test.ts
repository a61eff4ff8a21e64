import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideOutcome, readResponseLine } from '../src/core/response-line.ts';
import { compileRules } from '../src/input/answer/compile-rules.ts';
import { makeJob } from '../src/input/job/make-job.ts';
import { makeRows, makeWorld } from './helpers/run-world.ts';
import { someOf } from './helpers/wide.ts';

function makeVotingJob(spec: object) {
  const base = { name: 'j', input: { path: 't.csv' }, model: 'gpt-4o-mini', prompt: '{{ a }}', votes: 3 };
  return makeJob({ ...base, output: { label: 'good | bad', why: 'string' }, ...spec }, { directory: '/data' });
}

const said = (content: unknown, more: object = {}) => ({ message: { role: 'assistant', content }, finish_reason: 'stop', ...more });
const label = (name: string, why = 'x') => said(JSON.stringify({ label: name, why }));
const CUT = said('{"label":', { finish_reason: 'length' });
const REFUSED = { message: { role: 'assistant', content: null, refusal: 'no' }, finish_reason: 'stop' };

function decide(choices: readonly object[], spec: object = {}) {
  const body = { choices, usage: { prompt_tokens: 9, completion_tokens: 6 } };
  const reading = readResponseLine(JSON.stringify({ custom_id: 'k', response: { status_code: 200, request_id: 'r', body } }));
  assert.ok(reading.status === 'line');
  return decideOutcome(reading.line, compileRules(makeVotingJob(spec)).checkAnswer);
}

const VOTES: readonly [title: string, choices: readonly object[], value: unknown, spec?: object][] = [
  ['all agree', [label('bad'), label('bad'), label('bad')], { label: 'bad', why: 'x', _agreement: 1 }],
  [
    'the first of the majority stands',
    [label('good', '1'), label('bad', '2'), label('bad', '3')],
    { label: 'bad', why: '2', _agreement: 0.6667 },
  ],
  ['a tie goes to what was said first', [label('good'), label('bad'), CUT], { label: 'good', why: 'x', _agreement: 0.3333 }],
  ['a good one outvotes two that are not', [REFUSED, said('no JSON'), label('bad')], { label: 'bad', why: 'x', _agreement: 0.3333 }],
  ['a server that gives one answer only', [label('bad')], { label: 'bad', why: 'x', _agreement: 0.3333 }],
  ['texts', [said('b'), said(' a'), said('a\n')], { answer: ' a', _agreement: 0.6667 }, { output: 'text' }],
  ['labels as texts', [said('b'), said('c'), said(' b\n')], { answer: 'b', _agreement: 0.6667 }, { output: 'text', labels: ['a', 'b'] }],
  [
    'several labels in any order',
    [said('{"l":["a","b"]}'), said('{"l":["b","a"]}'), said('{"l":[]}')],
    { l: ['a', 'b'], _agreement: 0.6667 },
    { labels: ['a', 'b'], output: { l: 'label[]' } },
  ],
  [
    'without a field of labels the whole answer, keys in any order',
    [said('{"a":1,"b":2}'), said('{"a":2,"b":2}'), said('{"b":2,"a":2}')],
    { a: 2, b: 2, _agreement: 0.6667 },
    { output: { a: 'integer', b: 'integer' } },
  ],
];

for (const [title, choices, value, spec] of someOf(VOTES, 3)) {
  test(`votes: ${title}`, () => {
    const outcome = decide(choices, spec);
    assert.deepEqual([outcome.status, outcome.value, outcome.usage?.outputTokens], ['ok', value, 6]);
  });
}

test('without a valid vote the most frequent cause counts, in a tie the first, and a re-ask shows its text', () => {
  assert.equal(decide([REFUSED, CUT, CUT]).status, 'truncated');
  assert.equal(decide([REFUSED, CUT, said('')]).status, 'refused');
  const invalid = decide([CUT, said('one'), said('two')]);
  assert.deepEqual([invalid.status, invalid.answerText], ['invalid', 'one']);
});

test('votes and confidence are refused if unsupported', async (t) => {
  const world = await makeWorld(t);
  const problemsOf = async (lines: string, job: string) => {
    world.write(
      'job.yaml',
      world
        .read('job.yaml')
        .replace(/\nvotes[\s\S]*/, '')
        .concat(`\n${lines}`)
        .replace(/^output:.*$/m, job),
    );
    return world.run().then(
      () => 'accepted',
      (error: Error) => error.message,
    );
  };
  const labels = 'output: { label: "good | bad", summary: string }';
  assert.match(await problemsOf('votes: 3\nendpoint: /v1/responses', labels), /votes: POST \/v1\/responses gives one answer/);
  assert.match(await problemsOf('votes: 2\nconfidence: logprobs', 'output: { a: string }'), /confidence: needs one field with labels/);
  assert.match(await problemsOf('votes: 2', 'output: { _agreement: string }'), /output\._agreement: is a column rowmill adds itself/);
});

type Line = Readonly<Record<string, unknown>>;

for (const mode of someOf(['batch', 'live'] as const, 1)) {
  test(`three votes are one request in the ${mode} lane, cost all their answers, and stay below a budget`, async (t) => {
    const world = await makeWorld(t, {
      rows: makeRows(8),
      job: 'votes: 3\nconfidence: logprobs\nwrite: { path: out.jsonl }\nbudget: { usd: 0.01 }',
    });
    const { summary, requests } = await world.run({ overrides: { cwd: world.directory, input: null, out: null, mode } });
    assert.deepEqual([summary.exitCode, summary.rows.ok, summary.attempts.total], [0, 8, 8]);
    if (mode === 'live') assert.equal(requests['POST /v1/chat/completions'], 8);
    const bill = world.simulator.bill();
    const tokens = bill.reduce((sum, { usage }) => sum + Number(usage.completion_tokens), 0);
    assert.equal(summary.tokens.output, tokens);
    const lines = world
      .read('out.jsonl')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    const shares = lines.map(({ _agreement: share }) => share);
    assert.ok(shares.every((share) => [0.3333, 0.6667, 1].includes(share as number)));
    for (const { _confidence: confidence } of lines) assert.ok(typeof confidence === 'number' && confidence > 0 && confidence < 1);
  });
}

/** Tokens of an answer with their probabilities. */
const withLogprobs = (...tokens: readonly [string, number][]) =>
  said(tokens.map(([token]) => token).join(''), {
    logprobs: { content: tokens.map(([token, p]) => ({ token, logprob: Math.log(p), bytes: [...Buffer.from(token)] })) },
  });

test('confidence is the probability of the tokens of the label', () => {
  const spec = { votes: 1, confidence: 'logprobs' };
  const confidenceOf = (choice: object, more: object = {}) =>
    (decide([choice], { ...spec, ...more }).value as Record<string, unknown>)._confidence;
  const label = withLogprobs(['{"why":"label', 0.5], ['","label":', 0.5], ['"go', 0.9], ['od', 0.8], ['"}', 0.5]);
  assert.equal(confidenceOf(label), 0.72, 'the label, not the text that names it');
  assert.equal(confidenceOf(withLogprobs(['gr', 0.5], ['ün', 0.5]), { output: 'text' }), 0.25);
  const padded = withLogprobs(['\n', 0.5], ['bad', 0.9], [' ', 0.5]);
  assert.equal(confidenceOf(padded, { output: 'text', labels: ['good', 'bad'] }), 0.9, 'blanks around a label say nothing');
  assert.equal(confidenceOf(said('{"label":"good","why":""}')), null, 'the endpoint told none');
  const other = withLogprobs(['{"label":"good","why":""', 0.9]);
  assert.equal(decide([other], spec).status, 'invalid');
  const list = withLogprobs(['{"l": ', 0.5], ['["a",', 0.9], ['"b"]', 0.5], ['}', 0.1]);
  assert.equal(confidenceOf(list, { labels: ['a', 'b'], output: { l: 'label[]' } }), 0.45);
});
