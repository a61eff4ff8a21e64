import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPromptCache } from '../src/simulator/answers/prompt-cache.ts';
import { type Simulator, startSimulator } from '../src/simulator/start.ts';

const RULES = 'Follow each of these rules carefully. '.repeat(300);
const MARK = { prompt_cache_breakpoint: { mode: 'explicit' } };
const EXPLICIT = { prompt_cache_options: { mode: 'explicit' } };

interface Call {
  readonly row?: string;
  readonly key?: string;
  readonly options?: object;
  /** Whether the rules are marked. */
  readonly isMarked?: boolean;
  readonly atMs?: number;
  readonly answeredMs?: number;
  readonly inBatch?: boolean;
}

/** A cache, and what a call of 2,400 constant tokens and a short row uses of it. */
function makeCaller() {
  const cache = createPromptCache();
  return ({ row = 'x', key, options = EXPLICIT, isMarked = false, atMs = 0, answeredMs = atMs, inBatch = false }: Call) => {
    const rules = { type: 'text', text: RULES, ...(isMarked ? MARK : {}) };
    const messages = [
      { role: 'system', content: [rules] },
      { role: 'user', content: row },
    ];
    const body = { model: 'gpt-5.6-luna', messages, ...options, ...(key === undefined ? {} : { prompt_cache_key: key }) };
    return cache.use({ body, arrivedAtMs: atMs, nowMs: answeredMs, keeps: !inBatch });
  };
}

test('by default a prompt of 1,024 tokens is written completely, including the row’s own text, in batches too', () => {
  const call = makeCaller();
  const first = call({ options: {}, row: 'one' });
  assert.ok(first.cacheWriteTokens > 1_800 && first.cachedTokens === 0);
  assert.deepEqual(call({ options: {}, row: 'two' }), first, 'another row finds nothing: its end is another');
  assert.deepEqual(call({ options: {}, row: 'one', inBatch: true }), first);
});

test('in explicit mode nothing is written or found without a mark; a marked prefix is written once and found under its key', () => {
  const call = makeCaller();
  const nothing = { cachedTokens: 0, cacheWriteTokens: 0 };
  assert.deepEqual(call({}), nothing);
  const written = call({ isMarked: true, key: 'a' });
  assert.ok(written.cacheWriteTokens > 1_800);
  const found = { cachedTokens: written.cacheWriteTokens, cacheWriteTokens: 0 };
  assert.deepEqual(call({ isMarked: true, key: 'a', row: 'other', atMs: 1 }), found);
  assert.deepEqual(call({ isMarked: true, key: 'b', atMs: 1 }), written, 'another key is another machine');
  assert.deepEqual(call({ isMarked: true, atMs: 1 }), written, 'without a key nothing is counted on');
  assert.deepEqual(call({ isMarked: true, key: 'a', atMs: 1_800_002 }), written, 'after half an hour it is gone');
});

test('the sixteenth request of a minute goes to a machine that has not seen the prefix', () => {
  const call = makeCaller();
  const uses = Array.from({ length: 20 }, (_, n) => call({ isMarked: true, key: 'a', atMs: n }));
  assert.equal(uses.filter(({ cachedTokens }) => cachedTokens > 0).length, 14);
  assert.equal(uses.filter(({ cacheWriteTokens }) => cacheWriteTokens > 0).length, 6);
  assert.ok(call({ isMarked: true, key: 'a', atMs: 60_100 }).cachedTokens > 0);
});

test('a prefix is found only once the request that wrote it was answered, and what batches write is never found', () => {
  const call = makeCaller();
  call({ isMarked: true, key: 'a', atMs: 0, answeredMs: 50 });
  assert.equal(call({ isMarked: true, key: 'a', atMs: 49, answeredMs: 99 }).cachedTokens, 0);
  assert.ok(call({ isMarked: true, key: 'a', atMs: 51 }).cachedTokens > 0);
  call({ isMarked: true, key: 'batch', inBatch: true });
  assert.equal(call({ isMarked: true, key: 'batch', atMs: 9, inBatch: true }).cachedTokens, 0);
});

async function post(simulator: Simulator, body: object) {
  const response = await fetch(`${simulator.url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer x', 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, json: (await response.json()) as { error?: { param: string }; usage?: Record<string, unknown> } };
}

test('the bill has the written tokens, and a model or server without the option refuses it', async (t) => {
  const simulator = await startSimulator();
  t.after(() => simulator.close());
  const body = { model: 'gpt-5.6-luna', messages: [{ role: 'user', content: RULES }] };
  const { usage } = (await post(simulator, body)).json;
  assert.deepEqual(simulator.bill()[0]?.usage, usage);
  const billed = JSON.stringify(simulator.bill()[0]?.usage);
  assert.match(billed, new RegExp(`"prompt_tokens":${usage?.prompt_tokens},`));
  assert.match(billed, new RegExp(`"cache_write_tokens":${usage?.prompt_tokens}\\b`));
  const older = await post(simulator, { ...body, ...EXPLICIT, model: 'gpt-5.5' });
  assert.deepEqual([older.status, older.json.error?.param], [400, 'prompt_cache_options']);

  const refusing = await startSimulator({ cacheOptions: 'refused' });
  t.after(() => refusing.close());
  const refused = await post(refusing, { ...body, ...EXPLICIT });
  assert.deepEqual([refused.status, refused.json.error?.param], [400, 'prompt_cache_options']);
  assert.equal(refusing.bill().length, 0);
});
