import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { makeKey, makeRequestLine, type Request } from '../src/core/request.ts';
import type { Row } from '../src/core/row.ts';
import { compileJob } from '../src/input/compile-job.ts';
import { loadJob } from '../src/input/job/load-job.ts';
import { makeJob } from '../src/input/job/make-job.ts';
import type { RequestLimits } from '../src/input/request/render-row.ts';
import { openTable } from '../src/input/table/open-table.ts';
import { projectRoot } from './helpers/project-root.ts';

const { signal } = new AbortController();
const TABLE = { columns: ['a', 'b'], format: 'csv' as const };

function rowOf(...cells: unknown[]): Row {
  return { index: 0, file: 't.csv', line: 2, cells, record: null, key: null };
}

function compile(spec: object, limits: RequestLimits | null = null, table: typeof TABLE = TABLE) {
  const job = makeJob(
    { name: 'j', input: { path: 't.csv' }, model: 'gpt-4o-mini', output: 'text', prompt: '{{ a }}', ...spec },
    { directory: '/data' },
  );
  return compileJob({ job }, table, limits);
}

function requestOf(spec: object, ...cells: unknown[]): Request {
  const rendered = compile(spec).render(rowOf(...cells));
  assert.ok(rendered.status === 'request', JSON.stringify(rendered));
  return rendered.request;
}

function refusal(spec: object): string {
  try {
    compile(spec);
  } catch (error) {
    return (error as Error).message;
  }
  return assert.fail('the job was accepted');
}

test('a job produces the key of the contract’s first line', () => {
  const request = requestOf(
    {
      output: { json: 'object' },
      params: { max_output_tokens: 60 },
      prompt: { system: 'Answer in JSON: {"label": string}', user: '{{ a }}' },
    },
    'Works well.',
  );
  assert.equal(request.key, 'QGfa3LSjV58ITuJA3oaqTG');
  assert.equal(
    makeRequestLine(request),
    '{"custom_id":"QGfa3LSjV58ITuJA3oaqTG","method":"POST","url":"/v1/chat/completions","body":{"model":"gpt-4o-mini","messages":[{"role":"system","content":"Answer in JSON: {\\"label\\": string}"},{"role":"user","content":"Works well."}],"response_format":{"type":"json_object"},"max_completion_tokens":60}}',
  );
});

test('parameters have a fixed order, whatever their order in the job', () => {
  const params = {
    top_logprobs: 2,
    logprobs: true,
    service_tier: 'flex',
    verbosity: 'low',
    reasoning_effort: 'low',
    frequency_penalty: 1,
    presence_penalty: 0.5,
    seed: 7,
    top_p: 1,
    temperature: 1,
    max_output_tokens: 2000,
  };
  assert.equal(
    requestOf({ params, model: 'gpt-5-mini' }, 'x').body,
    '{"model":"gpt-5-mini","messages":[{"role":"user","content":"x"}],"max_completion_tokens":2000,"temperature":1,"top_p":1,"seed":7,"presence_penalty":0.5,"frequency_penalty":1,"reasoning_effort":"low","verbosity":"low","service_tier":"flex","logprobs":true,"top_logprobs":2}',
  );
});

const GOLDEN = path.join(projectRoot, 'fixtures', 'bodies');

for (const name of ['nightly-summaries', 'ticket-labels', 'review-sentiment']) {
  test(`the bodies and keys of ${name} are the golden ones: a changed byte would be paid for again`, async () => {
    const loaded = await loadJob(`jobs/${name}.yaml`, { cwd: projectRoot });
    const table = await openTable(loaded.job.input, { cwd: projectRoot, signal });
    const compiled = compileJob(loaded, table);
    assert.deepEqual(compiled.warnings, []);
    const lines: string[] = [];
    for await (const rows of table.readRows(signal)) {
      for (const row of rows) {
        const rendered = compiled.render(row);
        assert.ok(rendered.status === 'request', `row ${row.index} of ${name} is skipped`);
        assert.equal(makeKey(rendered.request.url, rendered.request.body), rendered.request.key);
        lines.push(makeRequestLine(rendered.request));
      }
    }
    const file = path.join(GOLDEN, `${name}.jsonl`);
    const text = lines.map((line) => `${line}\n`).join('');
    if (process.env.UPDATE_GOLDEN === '1') {
      fs.mkdirSync(GOLDEN, { recursive: true });
      fs.writeFileSync(file, text);
    }
    assert.equal(text, fs.readFileSync(file, 'utf8'));
  });
}

test('one final line break of a template is dropped, every other character is kept', () => {
  const contentOf = (prompt: string) =>
    (JSON.parse(requestOf({ prompt }, 'x').body) as { messages: { content: string }[] }).messages[0]?.content;
  assert.equal(contentOf('{{ a }}\n'), 'x');
  assert.equal(contentOf('{{ a }}\r\n'), 'x');
  assert.equal(contentOf(' {{ a }} \n\n'), ' x \n');
  assert.equal((JSON.parse(requestOf({}, 'x\n').body) as { messages: { content: string }[] }).messages[0]?.content, 'x\n');
});

test('messages keep their roles and order', () => {
  const messages = [
    { role: 'developer', content: 'Be brief' },
    { role: 'user', content: '{{ b }}' },
    { role: 'assistant', content: 'ok' },
    { role: 'user', content: '{{ a | upcase }}' },
  ];
  assert.deepEqual((JSON.parse(requestOf({ prompt: undefined, messages }, 'x', '"y"').body) as { messages: object }).messages, [
    { role: 'developer', content: 'Be brief' },
    { role: 'user', content: '"y"' },
    { role: 'assistant', content: 'ok' },
    { role: 'user', content: 'X' },
  ]);
});

test('a row whose templated cells are all blank is skipped as empty, one with a single word is not', () => {
  const { render } = compile({ prompt: 'Rate {{ a }} {{ b }}' });
  assert.deepEqual(render(rowOf(' \n', '')), { status: 'skipped', cause: 'empty', message: 'every cell the prompt uses is empty' });
  assert.equal(render(rowOf(null, undefined)).status, 'skipped');
  assert.equal(render(rowOf('', 'x')).status, 'request');
  assert.equal(render(rowOf(0, '')).status, 'request');
});

test('a row on which the template fails is skipped as unrenderable', () => {
  const rendered = compile({ prompt: '{{ a.b }}' }).render(rowOf({ c: 1 }));
  assert.deepEqual(rendered.status === 'skipped' && rendered.cause, 'unrenderable');
});

test('a row above the byte limit or the context, including the answer’s cap, is skipped as too large', () => {
  const limits = { maxBodyBytes: 400, contextTokens: 100, maxOutputTokens: null, estimateTokens: (text: string) => text.length };
  const cause = (cells: string, spec: object = {}) => {
    const rendered = compile(spec, limits).render(rowOf(cells));
    return rendered.status === 'skipped' ? `${rendered.cause}: ${rendered.message}` : 'sent';
  };
  assert.equal(cause('x'), 'sent');
  assert.match(cause('日'.repeat(200)), /^too_large: the request has \d+ bytes; at most 400 are allowed$/);
  assert.match(cause('x'.repeat(50)), /^too_large: about \d+ tokens, answer included; the model’s context is 100$/);
  assert.match(cause('x', { params: { max_output_tokens: 90 } }), /^too_large: about \d+ tokens/);
});

test('a re-ask after an invalid answer shows the answer and the reason, under the same key', () => {
  const compiled = compile({ output: { x: 'number' }, prompt: 'Count {{ a }}', params: { max_output_tokens: 50 } });
  const rendered = compiled.render(rowOf('x'));
  assert.ok(rendered.status === 'request');
  const again = compiled.renderReask(rendered.request, {
    n: 2,
    cause: 'invalid',
    answerText: '{"x":"1"}',
    message: 'x must be number, but is "1"',
  });
  assert.equal(again.key, rendered.request.key);
  assert.equal(again.customId, `${rendered.request.key}-r2`);
  const [before, after] = [rendered.request, again].map(({ body }) => JSON.parse(body) as { messages: unknown[] });
  assert.deepEqual({ ...after, messages: null }, { ...before, messages: null });
  assert.deepEqual(after?.messages, [
    ...(before?.messages ?? []),
    { role: 'assistant', content: '{"x":"1"}' },
    { role: 'user', content: 'This answer cannot be used: x must be number, but is "1". Reply again, with the corrected answer only.' },
  ]);
});

test('a re-ask after a truncated answer doubles the cap each time, up to the model’s maximum', () => {
  const limits = { maxBodyBytes: 1e6, contextTokens: null, maxOutputTokens: 150, estimateTokens: () => 0 };
  const compiled = compile({ params: { max_output_tokens: 50 } }, limits);
  const rendered = compiled.render(rowOf('x'));
  assert.ok(rendered.status === 'request');
  const capAfter = (n: number, outputCap: number | null = null) =>
    (
      JSON.parse(compiled.renderReask(rendered.request, { n, cause: 'truncated', answerText: 'par', message: 'cut', outputCap }).body) as {
        max_completion_tokens: number;
      }
    ).max_completion_tokens;
  assert.deepEqual([capAfter(1), capAfter(2), capAfter(3), capAfter(1, 70)], [100, 150, 150, 70]);
});

test('what the API would refuse for every row is refused before anything is sent', () => {
  assert.match(refusal({ output: { json: 'object' }, prompt: 'Rate it' }), /^prompt: JSON mode needs the word JSON/);
  assert.match(refusal({ output: { json: 'object' }, prompt: '{{ json }} {{ a }}' }), /no column "json"/);
  assert.equal(compile({ output: { json: 'object' }, prompt: 'json: {{ a }}' }).warnings.length, 0);
  assert.match(refusal({ model: 'gpt-5-mini', params: { temperature: 0 } }), /^params\.temperature: gpt-5-mini is a reasoning model/);
  assert.match(refusal({ model: 'o3', params: { top_p: 0.5 } }), /^params\.top_p: o3 is a reasoning model/);
  assert.match(refusal({ params: { top_logprobs: 2 } }), /needs logprobs: true/);
  assert.match(refusal({ input: { path: 't.csv', id: 'key' } }), /^input\.id: no column "key" in t\.csv\. Columns: a, b$/);
  assert.match(refusal({ write: { keep: ['a', 'c'] } }), /^write\.keep: no column "c"/);
});

test('a setting that would be paid for in vain causes a warning', () => {
  const described = { labels: { x: 'what x is', y: '' }, output: { kind: 'label' } };
  assert.match(compile(described).warnings.join(), /the labels have descriptions, and no template shows them/);
  assert.deepEqual(compile({ ...described, prompt: '{% for label in labels %}{{ label.name }}{% endfor %}{{ a }}' }).warnings, []);
  const texts = { labels: ['good', 'bad'], output: 'text' };
  assert.match(compile({ ...texts, prompt: 'Is it good? {{ a }}' }).warnings.join(), /with output: text .* does not name bad$/);
  assert.deepEqual(compile({ ...texts, prompt: 'Is it good or bad? {{ a }}' }).warnings, []);
  assert.deepEqual(compile({ ...texts, prompt: '{{ labels | map: "name" | join }} {{ a }}' }).warnings, []);
  assert.match(compile({ model: 'gpt-6-luna', params: { max_output_tokens: 200 } }).warnings.join(), /spends output tokens on reasoning/);
  assert.deepEqual(compile({ model: 'gpt-6-luna', params: { max_output_tokens: 2000 } }).warnings, []);
});

test('a row is named by its id columns, else by its number', () => {
  assert.equal(compile({ input: { path: 't.csv', id: ['b', 'a'] } }).rowId(rowOf('x', 7)), '7/x');
  assert.equal(compile({}).rowId({ ...rowOf('x'), index: 4 }), '5');
});

test('the hash of the rules depends on the output, not on prompt or model', () => {
  const hash = (spec: object) => compile(spec).rulesHash;
  assert.equal(hash({}), hash({ prompt: 'x {{ b }}', model: 'gpt-4o' }));
  assert.notEqual(hash({}), hash({ output: { x: 'string' } }));
  assert.notEqual(hash({ output: { x: 'string' } }), hash({ output: { x: 'number' } }));
  assert.notEqual(hash({}), hash({ labels: ['a', 'b'] }), 'the closed set of a text');
});

test('a text answer fills one column, a JSON answer one per property', () => {
  assert.deepEqual(compile({}).answerColumns, [], 'the whole answer is one column');
  assert.deepEqual(compile({ output: { y: 'string', x: 'number' } }).answerColumns, ['y', 'x']);
  assert.deepEqual(compile({ output: { json: 'object' }, prompt: 'JSON {{ a }}' }).answerColumns, []);
});
