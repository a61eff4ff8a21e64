import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../src/core/errors.ts';
import { compileJob } from '../src/input/compile-job.ts';
import { makeJob } from '../src/input/job/make-job.ts';
import { NO_JSON_WORD } from '../src/input/request/json-word.ts';
import { makeWorld, type WorldOptions } from './helpers/run-world.ts';

const OUTPUT = 'output: { json: object, schema: { type: object } }';

function render(prompt: unknown, ...cells: string[]) {
  const spec = { name: 'j', input: { path: 't.csv' }, model: 'gpt-4o-mini', output: { json: 'object' }, ...(prompt as object) };
  const compiled = compileJob({ job: makeJob(spec, { directory: '/data' }) }, { columns: ['a', 'b'], format: 'csv' });
  return {
    ...compiled.render({ index: 0, file: 't.csv', line: 2, cells, record: null, key: null }),
    isForRows: compiled.leavesJsonWordToRows,
  };
}

/** Whether a row can be sent, by its prompt and its cells; `constant`: whatever they say. */
const PROMPTS: readonly [prompt: unknown, cells: string[], sent: 'constant' | 'sent' | 'skipped'][] = [
  [{ prompt: 'As json: {{ a }}' }, ['x', ''], 'constant'],
  [{ prompt: { system: 'Reply in JSON', user: '{{ a | upcase }}' } }, ['x', ''], 'constant'],
  [
    {
      messages: [
        { role: 'assistant', content: 'JSONL' },
        { role: 'user', content: '{{ a }}' },
      ],
    },
    ['x', ''],
    'constant',
  ],
  [{ prompt: '{{ a }}' }, ['make JSON of it', ''], 'sent'],
  [{ prompt: '{{ a }}' }, ['x', 'json'], 'skipped'],
  [{ prompt: '{{ a }}{{ b }}' }, ['js', 'on'], 'sent'],
  [{ prompt: '{{ a | replace: "yaml", "json" }}' }, ['yaml', ''], 'sent'],
  [{ prompt: '{{ a | replace: "json", "yaml" }}' }, ['json', ''], 'skipped'],
  [{ prompt: '{% if a == "y" %}As JSON.{% endif %} {{ b }}' }, ['y', 'x'], 'sent'],
  [{ prompt: '{% if a == "y" %}As JSON.{% endif %} {{ b }}' }, ['n', 'x'], 'skipped'],
  [{ prompt: '{% comment %}JSON{% endcomment %}{{ a }}' }, ['x', ''], 'skipped'],
  [{ prompt: { user: '{{ a }}', images: ['https://example.test/json.png'] } }, ['x', ''], 'skipped'],
];

for (const [prompt, cells, sent] of PROMPTS) {
  test(`in JSON mode ${JSON.stringify(prompt)} over ${JSON.stringify(cells)} is ${sent}: the rendered prompt counts`, () => {
    const { isForRows, ...rendered } = render(prompt, ...cells);
    assert.equal(isForRows, sent !== 'constant');
    if (sent === 'skipped') assert.deepEqual(rendered, { status: 'skipped', cause: 'unrenderable', message: NO_JSON_WORD });
    else assert.equal(rendered.status, 'request');
  });
}

test('a job without JSON mode does not need the word, and a constant prompt without it is refused at once', () => {
  assert.equal(render({ prompt: '{{ a }}', output: { x: 'string' } }, 'x').status, 'request');
  assert.throws(() => render({ prompt: 'Say something' }), /^UsageError: prompt: JSON mode needs the word JSON/);
});

const FREE_PROMPT = `prompt: "{{ text }}"\n${OUTPUT}`;

for (const mode of ['batch', 'live'] as const) {
  test(`rows whose prompts lack the word are skipped before they are sent, the others are answered: ${mode}`, async (t) => {
    const rows: WorldOptions['rows'] = [
      ['1', 'Say "a" as JSON'],
      ['2', 'Say "b"'],
      ['3', 'Say "c" as json'],
      ['4', ''],
    ];
    const world = await makeWorld(t, { rows, job: FREE_PROMPT });
    const { summary, warnings } = await world.run({ overrides: { cwd: world.directory, input: null, out: null, mode } });
    assert.deepEqual([summary.rows.ok, summary.rows.failed, summary.rows.skipped, summary.exitCode], [2, 0, 2, 3]);
    assert.deepEqual(summary.causes, { unrenderable: 1, empty: 1 });
    assert.equal(world.simulator.bill().length, 2);
    assert.ok(
      [...warnings, ...world.said].some((line) => line.includes(`1 of the first 4 rows are skipped: ${NO_JSON_WORD}`)),
      warnings.join('\n'),
    );
    assert.match(world.read('out.failures.csv'), /JSON mode needs the word JSON/);
  });
}

test('a run whose first rows all lack the word is refused before anything is sent, with the place of the prompt', async (t) => {
  const world = await makeWorld(t, {
    rows: [
      ['1', ''],
      ['2', 'Say "b"'],
      ['3', 'Say "c"'],
    ],
    job: FREE_PROMPT,
  });
  await assert.rejects(world.run(), (error: unknown) => {
    assert.ok(error instanceof UsageError);
    assert.match(error.message, /job\.yaml:\d+:1 {2}prompt: JSON mode needs the word JSON .* it occurs in none of the first 3 rows$/);
    return true;
  });
  assert.deepEqual(world.simulator.requests(), {});
});
