import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import OpenAI, { type APIError } from 'openai';
import { type Simulator, startSimulator } from '../src/simulator/start.ts';
import { chatLines } from './helpers/simulator-api.ts';

async function withClient(run: (client: OpenAI, simulator: Simulator) => Promise<void>): Promise<void> {
  const simulator = await startSimulator({ virtualTime: true, now: () => 1_800_000_000_000 });
  try {
    await run(new OpenAI({ apiKey: 'any', baseURL: simulator.url, maxRetries: 0, logLevel: 'off' }), simulator);
  } finally {
    await simulator.close();
  }
}

async function refused(call: PromiseLike<unknown>): Promise<APIError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof OpenAI.APIError, String(error));
    return error;
  }
  return assert.fail('the call was answered');
}

test('the unmodified client uploads a file, runs a batch and downloads its answers', () =>
  withClient(async (client, simulator) => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
    const input = path.join(directory, 'input.jsonl');
    const lines = chatLines(30);
    fs.writeFileSync(input, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const file = await client.files.create({
      file: new File([await fs.openAsBlob(input)], 'input.jsonl'),
      purpose: 'batch',
      expires_after: { anchor: 'created_at', seconds: 3_600 },
    });
    assert.equal(file.bytes, fs.statSync(input).size);
    assert.equal(file.filename, 'input.jsonl');
    assert.equal(file.expires_at, file.created_at + 3_600);
    fs.rmSync(directory, { recursive: true });

    const created = await client.batches.create({
      input_file_id: file.id,
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
      metadata: { job: 'test' },
    });
    assert.equal(created.status, 'validating');
    assert.equal(created.expires_at, created.created_at + 86_400);
    assert.equal(created.output_file_id, null);
    assert.equal(created.errors, null);
    await simulator.advance(100);
    const halfway = await client.batches.retrieve(created.id);
    assert.equal(halfway.status, 'in_progress');
    assert.ok((halfway.request_counts?.completed ?? 0) > 0 && (halfway.request_counts?.completed ?? 0) < 30);
    assert.ok((halfway.usage?.total_tokens ?? 0) > 0);
    assert.equal(halfway.output_file_id, null);
    await simulator.advance(100);
    const batch = await client.batches.retrieve(created.id);
    assert.equal(batch.status, 'completed');
    assert.deepEqual(batch.request_counts, { total: 30, completed: 30, failed: 0 });
    assert.equal(batch.error_file_id, null);
    assert.deepEqual(batch.metadata, { job: 'test' });

    const content = await (await client.files.content(batch.output_file_id as string)).text();
    const answers = content
      .trimEnd()
      .split('\n')
      .map(
        (line) => JSON.parse(line) as { custom_id: string; error: unknown; response: { status_code: number; body: OpenAI.ChatCompletion } },
      );
    assert.equal((await client.files.retrieve(batch.output_file_id as string)).bytes, Buffer.byteLength(content));
    const ids = answers.map((answer) => answer.custom_id);
    assert.deepEqual(new Set(ids), new Set(lines.map((line) => line.custom_id)));
    assert.notDeepEqual(
      ids,
      lines.map((line) => line.custom_id),
      'the answers come in another order than the requests',
    );
    assert.ok(answers.every((answer) => answer.error === null && answer.response.status_code === 200));
    const tokens = answers.reduce((sum, answer) => sum + (answer.response.body.usage?.total_tokens ?? 0), 0);
    assert.equal(batch.usage?.total_tokens, tokens);
    const bill = simulator.bill();
    assert.deepEqual(new Set(bill.map((line) => line.customId)), new Set(ids));
    assert.ok(bill.every((line) => line.lane === 'batch' && line.batchId === batch.id && line.tier === 'batch'));
  }));

test('the unmodified client gets chat completions, Responses, embeddings and models, each live call billed once', () =>
  withClient(async (client, simulator) => {
    const messages = [{ role: 'user' as const, content: 'Is the sky blue?' }];
    const { data: chat, request_id: requestId } = await client.chat.completions
      .create({ model: 'gpt-4o-mini', messages, n: 2, service_tier: 'flex' }, { headers: { 'X-Client-Request-Id': 'my-row' } })
      .withResponse();
    assert.match(requestId ?? '', /^req_/);
    assert.equal(chat.model, 'gpt-4o-mini-2024-07-18');
    assert.equal(chat.choices.length, 2);
    assert.equal(chat.service_tier, 'flex');
    const response = await client.responses.create({ model: 'gpt-5-mini', input: 'Is the sky blue?', store: false });
    assert.notEqual(response.output_text, '');
    assert.equal(response.status, 'completed');
    const small = await client.embeddings.create({ model: 'text-embedding-3-small', input: ['a', 'b'], dimensions: 8 });
    const float = await client.embeddings.create({ model: 'text-embedding-3-small', input: 'a', dimensions: 8, encoding_format: 'float' });
    assert.equal(small.data.length, 2);
    assert.deepEqual(
      small.data[0]?.embedding.map((value) => value.toFixed(5)),
      float.data[0]?.embedding.map((value) => value.toFixed(5)),
      'base64 and float say the same',
    );
    const models = await client.models.list();
    assert.ok(models.data.some(({ id }) => id === 'gpt-4.1-mini'));
    assert.equal((await client.models.retrieve('gpt-4o')).id, 'gpt-4o');
    assert.deepEqual(
      simulator.bill().map(({ lane, customId, model, tier }) => [lane, customId, model, tier]),
      [
        ['live', 'my-row', 'gpt-4o-mini-2024-07-18', 'flex'],
        ['live', null, 'gpt-5-mini-2025-08-07', 'default'],
        ['live', null, 'text-embedding-3-small', 'default'],
        ['live', null, 'text-embedding-3-small', 'default'],
      ],
    );
    assert.deepEqual(simulator.bill()[0]?.usage, chat.usage);
  }));

test('unknown objects are answered with 404, and finished batches cannot be cancelled', () =>
  withClient(async (client, simulator) => {
    assert.match((await refused(client.batches.retrieve('batch_none'))).message, /^404 No batch found/);
    assert.equal((await refused(client.files.retrieve('file-none'))).status, 404);
    assert.equal((await refused(client.files.content('file-none'))).status, 404);
    assert.equal((await refused(client.models.retrieve('gpt-none'))).code, 'model_not_found');
    const messages = [{ role: 'user' as const, content: 'Hello' }];
    const unknown = await refused(client.chat.completions.create({ model: 'gpt-none', messages }));
    assert.deepEqual([unknown.status, unknown.code], [404, 'model_not_found']);
    const file = await client.files.create({ file: new File([`${JSON.stringify(chatLines(1)[0])}\n`], 'a.jsonl'), purpose: 'batch' });
    const batch = await client.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
    await simulator.advance(1_000);
    const conflict = await refused(client.batches.cancel(batch.id));
    assert.deepEqual(
      [conflict.status, conflict.code, conflict.type, conflict.message],
      [409, null, 'invalid_request_error', "409 Cannot cancel a batch with status 'completed'."],
    );
    assert.deepEqual(await client.files.delete(file.id), { id: file.id, object: 'file', deleted: true });
    assert.equal((await refused(client.files.content(file.id))).status, 404);
  }));

test('a request without a key is answered 401 with a JSON error, and every answer names the simulator', async () => {
  const simulator = await startSimulator();
  try {
    const answer = await fetch(`${simulator.url}/models`);
    assert.equal(answer.status, 401);
    assert.equal(answer.headers.get('x-rowmill-simulator'), '1');
    assert.match(answer.headers.get('x-request-id') ?? '', /^req_/);
    assert.equal(((await answer.json()) as { error: { type: string } }).error.type, 'invalid_request_error');
  } finally {
    await simulator.close();
  }
});

test('a form is read whatever the order of its parts', () =>
  withClient(async (_client, simulator) => {
    const part = (disposition: string, content: string) => `--xyz\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`;
    const line = `${JSON.stringify(chatLines(1)[0])}\r\n--xy is not the boundary\n`;
    const file = part('name="file"; filename="a.jsonl"', line);
    const purpose = part('name="purpose"', 'batch');
    for (const body of [file + purpose, purpose + file]) {
      const answer = await fetch(`${simulator.url}/files`, {
        method: 'POST',
        headers: { authorization: 'Bearer any', 'content-type': 'multipart/form-data; boundary=xyz' },
        body: `${body}--xyz--\r\n`,
      });
      const record = (await answer.json()) as { id: string; bytes: number };
      assert.equal(record.bytes, line.length);
      const content = await fetch(`${simulator.url}/files/${record.id}/content`, { headers: { authorization: 'Bearer any' } });
      assert.equal(await content.text(), line);
    }
  }));
