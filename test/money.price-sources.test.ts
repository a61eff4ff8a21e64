import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { hostOfOrigin, originOf } from '../src/ledger/origin.ts';
import { makeCostOf } from '../src/money/cost.ts';
import { createFindPrice, findPriceNote } from '../src/money/price.ts';
import { findPriceSource } from '../src/money/price-source.ts';
import { runInProcess } from './helpers/run-in-process.ts';
import { makeRows, makeWorld } from './helpers/run-world.ts';
import { wideTest } from './helpers/wide.ts';

const AT = '2026-11-29';
const LIVE = { lane: 'live', tier: null, at: AT } as const;

const ADDRESSES: readonly (readonly [baseUrl: string, source: string])[] = [
  ['https://api.openai.com/v1', 'openai'],
  ['https://api.openai.com/v1/', 'openai'],
  ['https://eu.api.openai.com/v1', 'openai'],
  ['https://us.api.openai.com/v1', 'openai'],
  ['https://api.groq.com/openai/v1', 'groq'],
  ['https://api.mistral.ai/v1', 'mistral'],
  ['https://openrouter.ai/api/v1', 'openrouter'],
  ['https://api.together.xyz/v1', 'together'],
  ['https://api.together.ai/v1', 'together'],
  ['https://my-team.openai.azure.com/openai/v1/', 'azure'],
  ['https://api.groq.com.example.org/v1', 'elsewhere api.groq.com.example.org'],
  ['https://my-api.openai.com.example.org/v1', 'elsewhere my-api.openai.com.example.org'],
  ['https://xyz.api.openai.com/v1', 'elsewhere xyz.api.openai.com'],
  ['http://127.0.0.1:8000/v1', 'elsewhere 127.0.0.1:8000'],
  ['https://gpu-3.example.org/v1', 'elsewhere gpu-3.example.org'],
];

for (const [baseUrl, expected] of ADDRESSES) {
  test(`prices at ${baseUrl} are those of: ${expected}`, () => {
    const source = findPriceSource(hostOfOrigin(originOf(baseUrl)));
    const shown = source.type === 'provider' ? source.id : source.type === 'elsewhere' ? `elsewhere ${source.host}` : source.type;
    assert.equal(shown, expected);
  });
}

/** Dollars per million tokens, standard and batch, input and output; the note. */
const PRICES: readonly (readonly [host: string | null, model: string, live: string | null, batch: string | null, isForeign: boolean])[] = [
  [null, 'gpt-4o-mini', '0.15/0.6', '0.075/0.3', false],
  ['eu.api.openai.com', 'gpt-4o-mini', '0.15/0.6', '0.075/0.3', false],
  ['api.groq.com', 'llama-3.3-70b-versatile', '0.59/0.79', '0.295/0.395', false],
  ['api.groq.com', 'openai/gpt-oss-20b', '0.075/0.3', '0.0375/0.15', false],
  ['t.openai.azure.com', 'gpt-4o-mini', '0.15/0.6', '0.075/0.3', false],
  ['t.openai.azure.com', 'gpt-6.1-sol', '2/10', '1/5', true],
  ['openrouter.ai', 'openai/gpt-4o', '2.5/10', '1.25/5', false],
  ['gpu-3.example.org', 'gpt-4o-mini', '0.15/0.6', '0.075/0.3', true],
  ['gpu-3.example.org', 'gpt-oss-120b', null, null, true],
  ['gpu-3.example.org', 'llama-3.3-70b-versatile', null, null, true],
  [null, 'gpt-oss-120b', null, null, false],
];

for (const [host, model, live, batch, isForeign] of PRICES) {
  test(`${model} at ${host ?? 'OpenAI'} costs ${live ?? 'nobody knows what'}${isForeign ? ', with a note' : ''}`, () => {
    const from = findPriceSource(host);
    const find = createFindPrice([], { from });
    const show = (lane: 'batch' | 'live') => {
      const price = find(model, { ...LIVE, lane });
      return price && `${price.rates.inputPicoUsd / 1e6}/${price.rates.outputPicoUsd / 1e6}`;
    };
    assert.deepEqual([show('live'), show('batch')], [live, batch]);
    const note = findPriceNote(model, AT, [], from);
    assert.equal(note, isForeign ? `priced at OpenAI’s list; the address is ${host}` : null);
    if (isForeign && live !== null) assert.equal(find(model, LIVE)?.note.startsWith(String(note)), true);
  });
}

test('other providers’ tiers are known as far as they are documented', () => {
  const find = createFindPrice([], { from: findPriceSource('api.groq.com') });
  const input = (tier: string) => find('llama-3.3-70b-versatile', { ...LIVE, tier })?.rates.inputPicoUsd;
  assert.deepEqual([input('on_demand'), input('flex'), input('priority')], [590_000, 590_000, undefined]);
});

test('keeping prompt cache entries for twelve hours doubles the write rate, if writing costs anything', () => {
  const usage = { inputTokens: 2000, cachedInputTokens: 0, cacheWriteTokens: 1500, outputTokens: 0, reasoningTokens: 0 };
  const cost = (model: string, keepsCacheLong: boolean) =>
    makeCostOf({ asOf: AT, findPrice: createFindPrice([], { keepsCacheLong }) })({
      ...{ usage, model, isBilled: true, lane: 'live', tier: null, createdSeconds: null },
    });
  assert.deepEqual([cost('gpt-6.1-terra', false), cost('gpt-6.1-terra', true)], [500_000 + 1500 * 1250, 500_000 + 1500 * 2500]);
  assert.equal(cost('gpt-4o', true), cost('gpt-4o', false));
});

/** A server of somebody else's that answers every call. @returns its host and port */
async function startServer(t: { after(end: () => void): void }): Promise<string> {
  const choices = [{ index: 0, message: { role: 'assistant', content: 'Fine.' }, finish_reason: 'stop' }];
  const usage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 };
  const body = JSON.stringify({ id: 'x', object: 'chat.completion', created: 1_796_000_000, model: 'gpt-4o-mini', choices, usage });
  const server = http.createServer((request, response) => {
    request
      .resume()
      .on('end', () =>
        response
          .setHeader('content-type', 'application/json')
          .end(request.method === 'POST' ? body : '{"object":"list","data":[],"has_more":false}'),
      );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

wideTest(
  'money priced at OpenAI’s list for another address says so in plan, summary, status and report, until prices.yaml has the price',
  async (t) => {
    const host = await startServer(t);
    const world = await makeWorld(t, { rows: makeRows(3), job: 'output: text' });
    const env = { PATH: process.env.PATH ?? '', OPENAI_API_KEY: 'sk-test' };
    const ask = async (...args: string[]) => {
      const flags = ['job.yaml', '--base-url', `http://${host}/v1`];
      const { stdout, stderr } = await runInProcess([args[0] ?? '', ...flags, ...args.slice(1)], { cwd: world.directory, env });
      return { stdout, stderr };
    };
    const note = `priced at OpenAI’s list; the address is ${host}`;
    assert.equal(JSON.parse((await ask('plan', '--json')).stdout).priceNote, note);
    assert.match((await ask('plan')).stdout, new RegExp(note));
    const run = JSON.parse((await ask('run', '--mode', 'live', '--json')).stdout);
    assert.ok(run.cost.nanoUsd > 0);
    assert.equal(run.cost.priceNote, note);
    assert.match((await ask('report')).stdout, new RegExp(note));
    assert.match(fs.readFileSync(world.path(run.outputs.report), 'utf8'), new RegExp(note));
    assert.equal(JSON.parse((await ask('status', '--json')).stdout).cost.priceNote, note);
    assert.match((await ask('status')).stdout, new RegExp(note));

    world.write('prices.yaml', 'prices:\n  - { model: gpt-4o-mini, input: 1, output: 2 }\n');
    assert.equal(JSON.parse((await ask('plan', '--json')).stdout).priceNote, undefined);
    assert.equal(JSON.parse((await ask('status', '--json')).stdout).cost.priceNote, undefined);
  },
);

test('for a model without a price, a plan says where to set one', async (t) => {
  const world = await makeWorld(t, { rows: makeRows(2), job: 'model: qwen3-32b' });
  const env = { PATH: process.env.PATH ?? '' };
  const { stdout } = await runInProcess(['plan', 'job.yaml', '--base-url', 'http://127.0.0.1:9/v1', '--json'], {
    cwd: world.directory,
    env,
  });
  const plan = JSON.parse(stdout);
  assert.deepEqual(plan.cost, { batch: null, live: null, flex: null });
  assert.equal(plan.priceNote, undefined);
  assert.match(JSON.stringify(plan.problems), /the batch price of qwen3-32b is unknown; set one in prices\.yaml, next to the job file/);
});
