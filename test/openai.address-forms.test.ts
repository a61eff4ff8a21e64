import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adviseBaseUrl } from '../src/openai/classify.ts';
import { deliverBody } from '../src/openai/deliver-body.ts';
import { createAddressForms, FIRST_FORMS, type LearnedForm } from '../src/openai/forms.ts';
import { findKnownProvider } from '../src/openai/known-providers.ts';

const KNOWN: readonly [baseUrl: string, name: string, cap: string, purpose: string][] = [
  ['https://api.openai.com/v1', 'OpenAI', 'max_completion_tokens', 'batch'],
  ['https://eu.api.openai.com/v1', 'OpenAI', 'max_completion_tokens', 'batch'],
  ['https://resource.openai.azure.com/openai/v1', 'Azure OpenAI', 'max_completion_tokens', 'batch'],
  ['https://resource.services.ai.azure.com/openai/v1', 'Azure OpenAI', 'max_completion_tokens', 'batch'],
  ['https://api.groq.com/openai/v1', 'Groq', 'max_completion_tokens', 'batch'],
  ['https://dashscope.aliyuncs.com/compatible-mode/v1', 'DashScope', 'max_tokens', 'batch'],
  ['https://dashscope-intl.aliyuncs.com/compatible-mode/v1', 'DashScope', 'max_tokens', 'batch'],
  ['https://batch.dashscope.aliyuncs.com/compatible-mode/v1', 'DashScope', 'max_tokens', 'batch'],
  ['https://ws-1.ap-southeast-1.maas.aliyuncs.com/compatible-mode/v1', 'DashScope', 'max_tokens', 'batch'],
  ['https://api.mistral.ai/v1', 'Mistral', 'max_tokens', 'batch'],
  ['https://api.together.xyz/v1', 'Together', 'max_tokens', 'batch-api'],
  ['https://api.together.ai/v1', 'Together', 'max_tokens', 'batch-api'],
  ['https://openrouter.ai/api/v1', 'OpenRouter', 'max_completion_tokens', 'batch'],
  ['http://127.0.0.1:11434/v1', '', 'max_completion_tokens', 'batch'],
  ['https://api.mistral.ai.example.com/v1', '', 'max_completion_tokens', 'batch'],
  ['https://notapi.groq.com/v1', '', 'max_completion_tokens', 'batch'],
];

test('hosted providers are known by their host, and by nothing that only looks like it', () => {
  const found = KNOWN.map(([baseUrl]) => {
    const { name, forms } = findKnownProvider(baseUrl);
    return [baseUrl, name, forms.cap, forms.purpose];
  });
  assert.deepEqual(found, KNOWN);
});

const ADVICE: readonly [baseUrl: string, proposal: string | null][] = [
  ['https://acme.openai.azure.com', 'https://acme.openai.azure.com/openai/v1'],
  ['https://acme.openai.azure.com/openai/deployments/gpt-4o', 'https://acme.openai.azure.com/openai/v1'],
  ['https://acme.openai.azure.com/openai/v1', null],
  ['https://api.groq.com/v1', 'https://api.groq.com/openai/v1'],
  ['https://openrouter.ai/v1', 'https://openrouter.ai/api/v1'],
  ['https://dashscope.aliyuncs.com', 'https://dashscope.aliyuncs.com/compatible-mode/v1'],
  ['https://api.openai.com', 'https://api.openai.com/v1'],
  ['https://api.mistral.ai/v1', null],
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/v1'],
  ['http://127.0.0.1:8080/v1', null],
];

test('for a wrong address the path of a known provider is suggested, otherwise /v1', () => {
  for (const [baseUrl, proposal] of ADVICE)
    assert.equal(/try --base-url (\S+)$/.exec(adviseBaseUrl(baseUrl))?.[1] ?? null, proposal, baseUrl);
});

const CHAT = '/v1/chat/completions';
const OTHER = { ...FIRST_FORMS, cap: 'max_tokens' } as const;

/** What goes out where the cap is called `max_tokens`: every other byte as it was. */
const DELIVERED: readonly [url: string, body: string, sent: string][] = [
  [
    CHAT,
    '{"model":"m","messages":[],"max_completion_tokens":60,"temperature":0}',
    '{"model":"m","messages":[],"max_tokens":60,"temperature":0}',
  ],
  [CHAT, '{"service_tier":"flex","model":"m","max_completion_tokens":60}', '{"service_tier":"flex","model":"m","max_tokens":60}'],
  [CHAT, '{"model":"m","messages":[]}', '{"model":"m","messages":[]}'],
  [CHAT, '{"model":"m","max_tokens":60}', '{"model":"m","max_tokens":60}'],
  [
    CHAT,
    '{"model":"m","messages":[{"content":"\\"max_completion_tokens\\":9 é \\ud83d\\ude00"}]}',
    '{"model":"m","messages":[{"content":"\\"max_completion_tokens\\":9 é \\ud83d\\ude00"}]}',
  ],
  [
    CHAT,
    '{"model":"m","response_format":{"properties":{"max_completion_tokens":{"type":"integer"}}},"max_completion_tokens":60}',
    '{"model":"m","response_format":{"properties":{"max_completion_tokens":{"type":"integer"}}},"max_tokens":60}',
  ],
  [
    CHAT,
    '{ "model":"m", "max_completion_tokens" : 60, "seed":9007199254740993, "top_p":1.0 }',
    '{"model":"m","max_tokens":60,"seed":9007199254740993,"top_p":1.0}',
  ],
  ['/v1/responses', '{"model":"m","max_output_tokens":60}', '{"model":"m","max_output_tokens":60}'],
];

for (const [url, body, sent] of DELIVERED) {
  test(`${body} is sent as ${sent === body ? 'it is' : sent}`, () => {
    assert.equal(deliverBody(url, body, OTHER), sent);
    assert.equal(deliverBody(url, body, FIRST_FORMS), body);
  });
}

function makeForms() {
  const forms = createAddressForms(FIRST_FORMS, 'host.example');
  const told: LearnedForm[] = [];
  forms.listen((learned) => void told.push(learned));
  return { forms, told };
}

test('after a refusal the other form is tried, and confirmed by an answer', () => {
  const { forms, told } = makeForms();
  assert.equal(forms.reject('cap', 'max_completion_tokens', 'it refused it'), true);
  assert.equal(forms.now.cap, 'max_tokens');
  assert.equal(told.length, 0, 'nothing is believed yet');
  assert.equal(forms.reject('cap', 'max_completion_tokens', 'another call of before'), true, 'calls under way are no news');
  forms.confirm('cap');
  forms.confirm('cap');
  assert.deepEqual(
    told.map(({ name, form }) => [name, form]),
    [['cap', 'max_tokens']],
  );
  assert.equal(told[0]?.message, 'host.example calls the output cap max_tokens (it refused it); this is remembered');
});

test('if both forms are refused the first one is kept, nothing is remembered and the trying ends', () => {
  const { forms, told } = makeForms();
  assert.equal(forms.reject('cap', 'max_completion_tokens', ''), true);
  assert.equal(forms.reject('cap', 'max_tokens', ''), false);
  assert.deepEqual(forms.now, FIRST_FORMS);
  assert.equal(forms.reject('cap', 'max_completion_tokens', ''), false);
  forms.confirm('cap');
  assert.equal(told.length, 0);
});

test('forms learned before are restored, unknown ones of a newer version are not, and an address may change its form', () => {
  const { forms, told } = makeForms();
  forms.recall(
    new Map([
      ['cap', 'max_tokens'],
      ['purpose', 'batch-v9'],
      ['colour', 'red'],
    ]),
  );
  assert.deepEqual(forms.now, { ...FIRST_FORMS, cap: 'max_tokens' });
  assert.equal(forms.reject('cap', 'max_tokens', 'it refused it'), true);
  forms.confirm('cap');
  assert.deepEqual([forms.now.cap, told[0]?.form], ['max_completion_tokens', 'max_completion_tokens']);
});

test('forms learned before anybody listens are reported to the first listener', () => {
  const forms = createAddressForms(FIRST_FORMS, 'host.example');
  forms.reject('purpose', 'batch', 'it refused it');
  forms.confirm('purpose');
  forms.giveUp('cap', 'takes neither');
  forms.giveUp('cap', 'takes neither');
  const told: LearnedForm[] = [];
  forms.listen((learned) => void told.push(learned));
  assert.deepEqual(
    told.map(({ name, form }) => [name, form]),
    [
      ['purpose', 'batch-api'],
      ['cap', null],
    ],
  );
});
