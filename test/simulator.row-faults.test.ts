import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LINE_FAULTS, type LineFault } from '../src/simulator/faults/fault-plan.ts';
import { chatLine, chatLines, type RawAnswer, withSimulator } from './helpers/simulator-api.ts';
import { someOf } from './helpers/wide.ts';

/** What a row's fault leaves behind: the raw lines that name the row in each file, and how often it was billed. */
interface Trail {
  readonly output: readonly string[];
  readonly error: readonly string[];
  readonly billed: number;
  readonly all: string;
}

async function followRow(action: object): Promise<Trail> {
  let trail: Trail | undefined;
  await withSimulator({ faults: [{ match: { custom_id: 'row-2' }, do: action }] }, async ({ submit, finish, request, simulator }) => {
    const batch = await finish(await submit(chatLines(3)));
    const read = async (id: string | null) => (id === null ? '' : (await request('GET', `/files/${id}/content`)).text);
    const [output, error] = [await read(batch.output_file_id), await read(batch.error_file_id)];
    const mentions = (text: string) => text.split('\n').filter((line) => line.includes('row-2'));
    const billed = simulator.bill().filter(({ customId }) => customId === 'row-2').length;
    trail = { output: mentions(output), error: mentions(error), billed, all: output };
    const others = simulator.bill().filter(({ customId }) => customId !== 'row-2');
    assert.equal(others.length, 2, 'the other rows are billed as ever');
    assert.equal(simulator.faultsFired()[0]?.fired, 1);
  });
  return trail as Trail;
}

const parse = (line: string | undefined): RawAnswer['json'] => JSON.parse(line ?? 'null');

const CHECKS: Readonly<Record<LineFault, (trail: Trail) => void>> = {
  missing: ({ output, error, billed }) => assert.deepEqual([output, error, billed], [[], [], 0]),
  lost: ({ output, error, billed }) => assert.deepEqual([output, error, billed], [[], [], 1]),
  status_0: ({ error, billed }) => assert.deepEqual([parse(error[0]).response, billed], [{ status_code: 0, request_id: '', body: {} }, 0]),
  expired: ({ error, billed }) => assert.deepEqual([parse(error[0]).error.code, billed], ['batch_expired', 0]),
  cancelled: ({ error, billed }) => assert.deepEqual([parse(error[0]).error.code, billed], ['batch_cancelled', 0]),
  duplicate: ({ output, billed }) => {
    assert.deepEqual([output.length, billed], [2, 1]);
    assert.equal(output[0], output[1]);
  },
  duplicate_new_id: ({ output, billed }) => {
    assert.deepEqual([output.length, billed], [2, 2]);
    assert.notEqual(parse(output[0]).id, parse(output[1]).id);
  },
  broken: ({ output, billed }) => {
    assert.throws(() => parse(output[0]));
    assert.equal(billed, 1);
  },
  two_objects: ({ output, billed }) => {
    assert.throws(() => parse(output[0]));
    assert.equal(output[0]?.split('"custom_id"').length, 3);
    assert.equal(billed, 1);
  },
  blank: ({ all, billed }) => {
    assert.match(all, /^\s*$/m);
    assert.equal(billed, 1);
  },
  crlf: ({ output, billed }) => assert.deepEqual([output[0]?.endsWith('\r'), billed], [true, 1]),
  foreign: ({ output, billed }) =>
    assert.deepEqual([output.map((line) => parse(line).custom_id).sort(), billed], [['not-ours-row-2', 'row-2'], 1]),
  no_custom_id: ({ output, all, billed }) => {
    assert.equal(
      all
        .trimEnd()
        .split('\n')
        .filter((line) => !('custom_id' in parse(line))).length,
      1,
    );
    assert.deepEqual([output.filter((line) => parse(line).custom_id === 'row-2'), billed], [[], 1]);
  },
  error_in_output: ({ output, error, billed }) => assert.deepEqual([parse(output[0]).response.status_code, error, billed], [400, [], 0]),
  string_error: ({ error, billed }) =>
    assert.deepEqual([typeof parse(error[0]).error, parse(error[0]).response.body, billed], ['string', null, 0]),
  response_and_error: ({ output, billed }) =>
    assert.deepEqual([parse(output[0]).response.status_code, parse(output[0]).error.code, billed], [200, 'server_error', 1]),
  null_body: ({ output, billed }) => assert.deepEqual([parse(output[0]).response.body, billed], [null, 1]),
  huge: ({ output, billed }) => {
    assert.ok((output[0]?.length ?? 0) > 10_000_000);
    assert.deepEqual([parse(output[0]).custom_id, billed], ['row-2', 1]);
  },
  bad_utf8: ({ all, billed }) => {
    assert.match(all, /\ufffd/);
    assert.equal(billed, 1);
  },
};

for (const line of someOf(LINE_FAULTS, 8)) {
  test(`a row's line may be ${line.replaceAll('_', ' ')}, and the bill says whether it was executed`, async () =>
    CHECKS[line](await followRow({ line })));
}

test('a row may end with any HTTP status in the error file, unbilled', async () => {
  const { output, error, billed } = await followRow({ rowStatus: 429 });
  assert.deepEqual([output, billed], [[], 0]);
  const { response, error: own } = parse(error[0]);
  assert.deepEqual([response.status_code, response.body.error.code, own], [429, 'rate_limit_exceeded', null]);
  const quota = parse((await followRow({ rowStatus: 429, code: 'insufficient_quota', message: 'No money.' })).error[0]);
  assert.deepEqual(quota.response.body.error, {
    message: 'No money.',
    type: 'invalid_request_error',
    param: null,
    code: 'insufficient_quota',
  });
});

test('when every row fails there is no output file', () =>
  withSimulator({ faults: [{ do: { rowStatus: 500 } }] }, async ({ submit, finish, readLines }) => {
    const batch = await finish(await submit(chatLines(4)));
    assert.deepEqual(
      [batch.status, batch.output_file_id, batch.request_counts],
      ['completed', null, { total: 4, completed: 0, failed: 4 }],
    );
    assert.equal((await readLines(batch.error_file_id)).length, 4);
  }));

test('a row is matched by its line in the file, by the batch, or by the beginning of its custom_id', () =>
  withSimulator(
    {
      faults: [
        { name: 'line 3', match: { row: 3, batch: 2 }, do: { line: 'missing' } },
        { name: 'prefix', match: { custom_id: 'special-*' }, do: { line: 'missing' } },
      ],
    },
    async ({ submit, finish, readLines, simulator }) => {
      for (const expected of [4, 3]) {
        const batch = await finish(await submit([...chatLines(4), chatLine('special-1')]));
        assert.equal((await readLines(batch.output_file_id)).length, expected);
      }
      assert.deepEqual(
        simulator.faultsFired().map(({ name, fired }) => [name, fired]),
        [
          ['line 3', 1],
          ['prefix', 2],
        ],
      );
    },
  ));

test('a share of rows is drawn by seed and custom_id, and rows sent again get through', () =>
  withSimulator({ faults: [{ match: { share: 0.2 }, do: { rowStatus: 500 } }] }, async ({ submit, finish, readLines }) => {
    let lines = chatLines(200);
    const failures: number[] = [];
    while (lines.length > 0) {
      const batch = await finish(await submit(lines));
      const failed = batch.error_file_id === null ? [] : await readLines(batch.error_file_id);
      failures.push(failed.length);
      const ids = new Set(failed.map((line) => line.custom_id));
      lines = lines.filter((line) => ids.has(line.custom_id));
    }
    const [first = 0, second = 0] = failures;
    assert.ok(first > 20 && first < 60, `${first} of 200 failed at first`);
    assert.ok(second < first / 2, `${second} of them failed again`);
  }));

const schema = {
  type: 'object',
  properties: { label: { enum: ['a', 'b'] }, score: { type: 'number' } },
  required: ['label', 'score'],
  additionalProperties: false,
};
const asked = {
  response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } },
  max_completion_tokens: 40,
};

interface AnswerCase {
  readonly kind: string;
  readonly check: (choice: RawAnswer['json'], body: RawAnswer['json']) => void;
}

const unparseable = (choice: RawAnswer['json']) => assert.throws(() => JSON.parse(choice.message.content));

const ANSWERS: readonly AnswerCase[] = [
  {
    kind: 'refusal',
    check: (choice) => assert.ok(choice.message.content === null && choice.message.refusal !== null && choice.finish_reason === 'stop'),
  },
  { kind: 'length', check: (choice, body) => assert.deepEqual([choice.finish_reason, body.usage.completion_tokens], ['length', 40]) },
  {
    kind: 'reasoning_eats_cap',
    check: (choice, body) => assert.deepEqual([choice.message.content, body.usage.completion_tokens_details.reasoning_tokens], ['', 40]),
  },
  { kind: 'content_filter', check: (choice) => assert.equal(choice.finish_reason, 'content_filter') },
  { kind: 'tool_calls', check: (choice) => assert.deepEqual([choice.finish_reason, choice.message.content], ['tool_calls', null]) },
  { kind: 'no_choices', check: (_, body) => assert.deepEqual(body.choices, []) },
  { kind: 'empty', check: (choice) => assert.equal(choice.message.content, '') },
  { kind: 'invalid_json', check: unparseable },
  { kind: 'not_a_number', check: unparseable },
  { kind: 'prose', check: unparseable },
  { kind: 'fenced', check: (choice) => assert.match(choice.message.content, /^```json\n\{/) },
  { kind: 'wrong_schema', check: (choice) => assert.equal('label' in JSON.parse(choice.message.content), false) },
  { kind: 'duplicate_key', check: (choice) => assert.equal(choice.message.content.split('"label"').length, 3) },
  { kind: 'huge_number', check: (choice) => assert.match(choice.message.content, /1e999/) },
  { kind: 'large_integer', check: (choice) => assert.match(choice.message.content, /9007199254740993/) },
  { kind: 'lone_surrogate', check: (choice) => assert.match(JSON.parse(choice.message.content).label, /^\ud800$/) },
  { kind: 'proto_key', check: (choice) => assert.ok(Object.hasOwn(JSON.parse(choice.message.content), '__proto__')) },
  { kind: 'deep_nesting', check: (choice) => assert.equal(choice.message.content.length, 200_000) },
  { kind: 'usage_missing', check: (_, body) => assert.equal('usage' in body, false) },
  { kind: 'usage_negative', check: (_, body) => assert.ok(body.usage.prompt_tokens < 0) },
  { kind: 'usage_fraction', check: (_, body) => assert.ok(!Number.isInteger(body.usage.prompt_tokens)) },
];

for (const { kind, check } of someOf(ANSWERS, 8)) {
  test(`an answer may be spoiled by ${kind} in both lanes, and is billed with its true usage`, () =>
    withSimulator({ faults: [{ do: { answer: kind } }] }, async ({ submit, finish, readLines, request, simulator }) => {
      const line = chatLine('row-1', asked);
      const batch = await finish(await submit([line]));
      const [inBatch] = await readLines(batch.output_file_id);
      const live = (await request('POST', '/chat/completions', line.body)).json;
      for (const body of [inBatch.response.body, live]) check(body.choices[0], body);
      const usages = simulator.bill().map(({ usage }) => usage);
      assert.deepEqual(usages[0], usages[1]);
      assert.ok(Number.isInteger(usages[0]?.prompt_tokens) && Number(usages[0]?.prompt_tokens) > 0);
      assert.equal(simulator.faultsFired()[0]?.fired, 2);
    }));
}

test('an answer may be given word for word, in one lane only', () =>
  withSimulator(
    { faults: [{ match: { lane: 'live' }, do: { answerText: '{"label":' } }] },
    async ({ submit, finish, readLines, request }) => {
      const line = chatLine('row-1', asked);
      assert.equal((await request('POST', '/chat/completions', line.body)).json.choices[0].message.content, '{"label":');
      const batch = await finish(await submit([line]));
      const [answered] = await readLines(batch.output_file_id);
      assert.deepEqual(Object.keys(JSON.parse(answered.response.body.choices[0].message.content)), ['label', 'score']);
    },
  ));

test('Responses may come in several outputs, failed, or on a lower tier', () =>
  withSimulator(
    {
      faults: ['several_outputs', 'failed_response', 'tier_downgraded'].map((answer, index) => ({
        match: { nth: index + 1 },
        do: { answer },
      })),
    },
    async ({ request, simulator }) => {
      const ask = async () =>
        (await request('POST', '/responses', { model: 'gpt-4.1', input: 'One two three', service_tier: 'flex' })).json;
      const several = await ask();
      assert.equal(several.output.filter(({ type }: { type: string }) => type === 'message').length, 2);
      const failed = await ask();
      assert.deepEqual([failed.status, failed.error.code, failed.output], ['failed', 'server_error', []]);
      assert.equal((await ask()).service_tier, 'default');
      assert.deepEqual(
        simulator.bill().map(({ tier }) => tier),
        ['flex', 'flex', 'default'],
      );
    },
  ));
