import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readFaultPlan } from '../src/simulator/faults/fault-plan-reader.ts';
import { startSimulator } from '../src/simulator/start.ts';
import { PROGRAM } from './helpers/program.ts';
import { readShapes } from './helpers/world-shapes.ts';

const HEADERS = { authorization: 'Bearer x', 'content-type': 'application/json', 'x-client-request-id': 'row-1' };
const CHAT = JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'hi' }] });

async function startWith(t: { after(end: () => Promise<void>): void }, faults: unknown) {
  const simulator = await startSimulator({ faults, batchSeconds: 0 });
  t.after(() => simulator.close());
  const ask = (path: string, init: RequestInit = {}) => fetch(simulator.url.replace(/\/v1$/, '') + path, { headers: HEADERS, ...init });
  return { simulator, ask };
}

test('every shape can be requested by name', () => {
  const shapes = readShapes();
  const plan = readFaultPlan(shapes.map(({ name }) => ({ do: { world: name } })));
  assert.equal(plan.length, shapes.length);
  const scopes = { answer: 'answer', line: 'row', batch: 'batch', call: 'request', list: 'request', download: 'request' };
  assert.deepEqual(
    plan.map(({ scope }) => scope),
    shapes.map(({ kind }) => scopes[kind]),
  );
});

test('an unknown name is refused with its place and the closest ones', () => {
  assert.throws(
    () => readFaultPlan([{ do: { world: 'finish-stpo' } }]),
    /^Error: faults\[0\]\.do\.world: no shape is called "finish-stpo"; the closest are finish-stop, /,
  );
  assert.throws(() => readFaultPlan([{ do: { world: 7 } }]), /faults\[0\]\.do\.world: expected a text/);
  assert.throws(() => readFaultPlan([{ do: { world: 'finish-stop', times: 1 } }]), /unknown word here; allowed: world/);
});

test('an answer, a call and a list are sent as they were seen, and billed for what they count', async (t) => {
  const { simulator, ask } = await startWith(t, [
    { match: { custom_id: 'row-1' }, times: 1, do: { world: 'usage-reasoning-beside-completion' } },
    { match: { custom_id: 'row-1' }, times: 1, do: { world: 'error-502-in-a-200' } },
    { times: 1, do: { world: 'list-404-html' } },
    { do: { world: 'call-404-html' } },
  ]);
  const shape = (name: string) => readShapes().find((one) => one.name === name);
  const answered = await ask('/v1/chat/completions', { method: 'POST', body: CHAT });
  assert.deepEqual(await answered.json(), shape('usage-reasoning-beside-completion')?.body);
  const failed = await ask('/v1/chat/completions', { method: 'POST', body: CHAT });
  assert.deepEqual(await failed.json(), shape('error-502-in-a-200')?.body);
  const list = await ask('/v1/batches');
  assert.deepEqual([list.status, list.headers.get('content-type')], [404, 'text/html']);
  assert.equal((await ask('/v1/batches')).status, 200);
  assert.equal((await ask('/chat/completions', { method: 'POST', body: CHAT })).status, 404);
  assert.deepEqual(
    simulator.bill().map(({ usage }) => usage.total_tokens),
    [2800],
  );
  assert.ok(simulator.faultsFired().every(({ fired }) => fired > 0));
});

test('a batch, its upload, its creation and its file are sent as they were seen, by their true ids', async (t) => {
  const { simulator, ask } = await startWith(t, [
    { do: { world: 'upload-filename-empty' } },
    { do: { world: 'create-wrapped-in-job' } },
    { do: { world: 'batch-status-in-capitals' } },
    { do: { world: 'download-mark-crlf-and-blank-lines' } },
    { match: { row: 1 }, do: { world: 'line-status-code-as-text' } },
  ]);
  const form = new FormData();
  const line = { custom_id: 'row-1', method: 'POST', url: '/v1/chat/completions', body: JSON.parse(CHAT) };
  form.append('file', new Blob([JSON.stringify(line)]), 'rows.jsonl');
  form.append('purpose', 'batch');
  const uploaded = (await (
    await fetch(`${simulator.url}/files`, { method: 'POST', headers: { authorization: 'Bearer x' }, body: form })
  ).json()) as {
    id: string;
    filename: string;
  };
  assert.equal(uploaded.filename, '');
  const body = JSON.stringify({ input_file_id: uploaded.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
  const { job } = (await (await ask('/v1/batches', { method: 'POST', body })).json()) as { job: { id: string; input_file_id: string } };
  assert.equal(job.input_file_id, uploaded.id);
  let batch: { status: string; output_file_id: string; progress?: number; object?: string };
  do batch = (await (await ask(`/v1/batches/${job.id}`)).json()) as typeof batch;
  while (batch.status !== 'COMPLETED');
  assert.deepEqual([batch.progress, batch.object], [100, undefined]);
  const content = await (await ask(`/v1/files/${batch.output_file_id}/content`)).arrayBuffer();
  const text = Buffer.from(content).toString('utf8');
  assert.ok(text.startsWith('\uFEFF') && text.endsWith('\r\n\r\n'));
  const sent = JSON.parse(text.slice(1)) as { custom_id: string; response: { status_code: unknown } };
  assert.deepEqual([sent.custom_id, sent.response.status_code], ['row-1', '200']);
  assert.deepEqual(
    simulator.bill().map(({ usage }) => usage.total_tokens),
    [48],
  );
  assert.ok(simulator.faultsFired().every(({ fired }) => fired > 0));
});

test('a batch that fails as a shape is not executed', async (t) => {
  const { simulator, ask } = await startWith(t, [{ do: { world: 'batch-failed-billing-hard-limit' } }]);
  const form = new FormData();
  form.append(
    'file',
    new Blob([JSON.stringify({ custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body: JSON.parse(CHAT) })]),
    'rows.jsonl',
  );
  form.append('purpose', 'batch');
  const uploaded = (await (
    await fetch(`${simulator.url}/files`, { method: 'POST', headers: { authorization: 'Bearer x' }, body: form })
  ).json()) as { id: string };
  const body = JSON.stringify({ input_file_id: uploaded.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
  const { id } = (await (await ask('/v1/batches', { method: 'POST', body })).json()) as { id: string };
  let batch: { status: string; errors: { data: readonly { code: string }[] } | null };
  do batch = (await (await ask(`/v1/batches/${id}`)).json()) as typeof batch;
  while (batch.status !== 'failed');
  assert.equal(batch.errors?.data[0]?.code, 'billing_hard_limit_reached');
  assert.deepEqual(simulator.bill(), []);
});

test('rowmill simulate --faults takes names of shapes, and refuses others', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'rowmill-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const plan = join(folder, 'faults.json');
  writeFileSync(plan, JSON.stringify([{ do: { world: 'content-of-blanks' } }]));
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM, 'simulate', '--faults', plan], { encoding: 'utf8', timeout: 20_000 });
  assert.equal(status, 2);
  assert.match(stderr, /faults\[0\]\.do\.world: no shape is called "content-of-blanks"; the closest are content-of-blanks-only, /);
});
