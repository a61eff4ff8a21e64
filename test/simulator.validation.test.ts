import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chatLine, chatLines, withSimulator } from './helpers/simulator-api.ts';

const create = { input_file_id: 'file-none', endpoint: '/v1/chat/completions', completion_window: '24h' };

const CREATE_ERRORS = [
  {
    title: 'an unknown endpoint',
    body: { ...create, endpoint: '/v1/invalid/endpoint' },
    code: 'invalid_value',
    param: 'endpoint',
    message: /^Invalid value: '\/v1\/invalid\/endpoint'\. Supported values are: '\/v1\/chat\/completions', .*, and '\/v1\/videos'\.$/,
  },
  {
    title: 'a window other than 24h',
    body: { ...create, completion_window: '1h' },
    code: 'invalid_value',
    param: 'completion_window',
    message: /completion_window/,
  },
  {
    title: 'a metadata value that is not a string',
    body: { ...create, metadata: { tags: ['a'] } },
    code: 'invalid_type',
    param: 'metadata.tags',
    message: /^Invalid type for 'metadata\.tags': expected a string, but got an array instead\.$/,
  },
  {
    title: 'seventeen metadata pairs',
    body: { ...create, metadata: Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, 'v'])) },
    code: 'object_above_max_properties',
    param: 'metadata',
    message: /at most 16/,
  },
  {
    title: 'a missing input file id',
    body: { endpoint: '/v1/chat/completions', completion_window: '24h' },
    code: 'missing_required_parameter',
    param: 'input_file_id',
    message: /^Missing required parameter: 'input_file_id'\.$/,
  },
];

for (const { title, body, code, param, message } of CREATE_ERRORS) {
  test(`creating a batch with ${title} is answered 400 at once`, () =>
    withSimulator({}, async ({ request }) => {
      const { status, json } = await request('POST', '/batches', body);
      assert.equal(status, 400);
      assert.deepEqual(
        { code: json.error.code, param: json.error.param, type: json.error.type },
        { code, param, type: 'invalid_request_error' },
      );
      assert.match(json.error.message, message);
    }));
}

const good = JSON.stringify(chatLine('good'));
const chat = '/v1/chat/completions';
const messages = [{ role: 'user', content: 'Hello' }];
const line = (fields: Record<string, unknown>) => JSON.stringify({ ...chatLine('bad'), ...fields });

const BAD_LINES = [
  {
    title: 'a line that is not JSON',
    line: 'nonsense',
    code: 'invalid_json_line',
    param: null,
    message: 'This line is not parseable as valid JSON.',
  },
  {
    title: 'a blank line between others',
    line: '',
    code: 'invalid_json_line',
    param: null,
    message: 'This line is not parseable as valid JSON.',
  },
  ...['custom_id', 'method', 'url', 'body'].map((param) => ({
    title: `a line without ${param}`,
    line: line({ [param]: undefined }),
    code: 'missing_required_parameter',
    param,
    message: `Missing required parameter: '${param}'.`,
  })),
  {
    title: 'a body without model',
    line: line({ body: { messages } }),
    code: 'invalid_request',
    param: 'body.model',
    message: 'Model parameter is required.',
  },
  {
    title: 'a body without messages',
    line: line({ body: { model: 'gpt-4o-mini' } }),
    code: 'invalid_request',
    param: 'body.messages',
    message: 'Messages parameter is required.',
  },
  {
    title: 'a line for another endpoint',
    line: line({ url: '/v1/embeddings' }),
    code: 'invalid_url',
    param: 'url',
    message: 'The URL provided for this request does not match the batch endpoint.',
  },
  {
    title: 'an unknown model',
    line: line({ body: { model: 'x', messages } }),
    code: 'model_not_found',
    param: 'body.model',
    message: "The provided model 'x' is not supported by the Batch API.",
  },
  {
    title: 'a streaming request',
    line: line({ body: { model: 'gpt-4o-mini', messages, stream: true } }),
    code: 'streaming_unsupported',
    param: 'body.stream',
    message: 'Chat Completions: Streaming is not supported in the Batch API.',
  },
  {
    title: 'a repeated custom_id',
    line: line({ custom_id: 'good' }),
    code: 'duplicate_custom_id',
    param: 'custom_id',
    message: /'good'.*must be unique/,
  },
  {
    title: 'a second model',
    line: line({ body: { model: 'gpt-4o', messages } }),
    code: 'mismatched_model',
    param: 'body.model',
    message: /'gpt-4o'.*'gpt-4o-mini'/,
  },
];

for (const { title, line: bad, code, param, message } of BAD_LINES) {
  test(`${title} passes upload and fails the batch with ${code} and its line`, () =>
    withSimulator({}, async ({ submit, finish, simulator }) => {
      const batch = await finish(await submit([good, bad, JSON.stringify(chatLine('last'))]));
      assert.equal(batch.status, 'failed');
      const [error, ...others] = batch.errors.data;
      assert.deepEqual(others, []);
      assert.deepEqual({ code: error.code, param: error.param, line: error.line }, { code, param, line: 2 });
      if (typeof message === 'string') assert.equal(error.message, message);
      else assert.match(error.message, message);
      assert.equal(batch.output_file_id, null);
      assert.equal(batch.failed_at >= batch.created_at, true);
      assert.deepEqual(simulator.bill(), []);
    }));
}

test('all bad lines of a file are reported at once', () =>
  withSimulator({}, async ({ submit, finish }) => {
    const batch = await finish(await submit([good, 'a', line({ url: chat, method: undefined }), line({ body: {} }), '{}']));
    assert.deepEqual(
      batch.errors.data.map(({ code, line: number }: { code: string; line: number }) => [number, code]),
      [
        [2, 'invalid_json_line'],
        [3, 'missing_required_parameter'],
        [4, 'invalid_request'],
        [5, 'missing_required_parameter'],
      ],
    );
  }));

test('an unknown input file fails the batch, not its creation', () =>
  withSimulator({}, async ({ request, finish }) => {
    const created = await request('POST', '/batches', create);
    assert.equal(created.status, 200);
    assert.equal(created.json.status, 'validating');
    const batch = await finish(created.json.id);
    assert.equal(batch.status, 'failed');
    const [error] = batch.errors.data;
    assert.deepEqual({ code: error.code, param: error.param, line: error.line }, { code: 'invalid_request', param: 'file_id', line: null });
    assert.match(error.message, /^Cannot find file file-none, or organization .* does not have access to it\.$/);
  }));

test('more lines than a batch may have fail it with too_many_tasks', () =>
  withSimulator({ limits: { requestsPerBatch: 3 } }, async ({ submit, finish }) => {
    const batch = await finish(await submit(chatLines(4)));
    assert.equal(batch.errors.data[0].code, 'too_many_tasks');
    assert.equal((await finish(await submit(chatLines(3)))).status, 'completed');
  }));

const UPLOADS = [
  { title: 'an empty file', content: '', status: 400, code: 'empty_file', message: /input file is empty/ },
  { title: 'a first line that is not JSON', content: 'a,b\n1,2\n', status: 400, code: null, message: /Must be \.jsonl/ },
  {
    title: 'another extension',
    content: good,
    filename: 'rows.json',
    status: 400,
    code: null,
    message: /^Invalid file format for Batch API\. Must be \.jsonl$/,
  },
  {
    title: 'more bytes than a batch file may have',
    content: `${good}${' '.repeat(300)}`,
    status: 400,
    code: null,
    message: /^File is too large\.$/,
  },
  {
    title: 'more bytes than any file may have',
    content: `${good}${' '.repeat(900)}`,
    status: 413,
    code: null,
    message: /Maximum content size/,
  },
];

for (const { title, content, filename, status, code, message } of UPLOADS) {
  test(`uploading ${title} is answered ${status}`, () =>
    withSimulator({ limits: { batchFileBytes: 400, fileBytes: 900 } }, async ({ upload, request }) => {
      const answer = await upload(content, { purpose: 'batch' }, filename);
      assert.equal(answer.status, status);
      assert.equal(answer.json.error.code, code);
      assert.match(answer.json.error.message, message);
      assert.deepEqual((await request('GET', '/files')).json.data, []);
    }));
}

test('more batches in an hour than allowed are answered 429, and allowed again an hour later', () =>
  withSimulator({ limits: { batchesPerHour: 2 } }, async ({ request, simulator }) => {
    for (const expected of [200, 200, 429]) assert.equal((await request('POST', '/batches', create)).status, expected);
    await simulator.advance(3_600_000);
    assert.equal((await request('POST', '/batches', create)).status, 200);
  }));
