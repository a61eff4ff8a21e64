import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addDelivery, type Delivery, isCacheRefusal, removeCacheDelivery, removeDelivery } from '../src/core/delivery.ts';
import { makeKey } from '../src/core/request.ts';
import { anyText } from './helpers/any-text.ts';
import { runsOf } from './helpers/wide.ts';

const chat = '/v1/chat/completions';
const makeBody = (system: string, user: string) =>
  JSON.stringify({
    model: 'm',
    messages: [
      { role: 'system', content: system },
      { role: 'user', content: user },
    ],
    max_completion_tokens: 9,
  });

test('delivery is written before the model, and a mark at the end of a text', () => {
  const body = makeBody('Be brief.', 'Hello');
  const send = (delivery: Delivery) => addDelivery({ url: chat, body }, delivery);
  assert.equal(send({ serviceTier: null, cache: null }), body);
  assert.equal(send({ serviceTier: 'flex', cache: null }), `{"service_tier":"flex",${body.slice(1)}`);
  assert.equal(
    send({ serviceTier: null, cache: { end: null, key: null } }),
    `{"prompt_cache_options":{"mode":"explicit"},${body.slice(1)}`,
  );
  const end = body.indexOf('Be brief.') + 'Be brief.'.length;
  assert.deepEqual(JSON.parse(send({ serviceTier: 'flex', cache: { end, key: 'k-1' } })), {
    service_tier: 'flex',
    prompt_cache_options: { mode: 'explicit' },
    prompt_cache_key: 'k-1',
    model: 'm',
    messages: [
      { role: 'system', content: [{ type: 'text', text: 'Be brief.', prompt_cache_breakpoint: { mode: 'explicit' } }] },
      { role: 'user', content: 'Hello' },
    ],
    max_completion_tokens: 9,
  });
});

test('a mark within a text splits it into two parts, with the names of the endpoint', () => {
  const body = JSON.stringify({ model: 'm', input: [{ role: 'user', content: 'Constant: row' }] });
  const end = body.indexOf(' row');
  const sent = JSON.parse(addDelivery({ url: '/v1/responses', body }, { serviceTier: null, cache: { end, key: 'k' } }));
  assert.deepEqual(sent.input[0].content, [
    { type: 'input_text', text: 'Constant:', prompt_cache_breakpoint: { mode: 'explicit' } },
    { type: 'input_text', text: ' row' },
  ]);
});

const readText = ({ content }: { content: string | readonly { text: string }[] }) =>
  typeof content === 'string' ? content : content.map(({ text }) => text).join('');

test('a text is never cut within a character', () => {
  const body = makeBody('a\\b\n\u0001é😀\ud800"x', 'row');
  for (let end = 0; end <= body.length; end += 1) {
    const sent = addDelivery({ url: chat, body }, { serviceTier: null, cache: { end, key: null } });
    const { messages } = JSON.parse(Buffer.from(sent).toString());
    assert.deepEqual(messages.map(readText), JSON.parse(body).messages.map(readText), `cut at ${end}`);
    assert.equal(removeDelivery(sent), body);
  }
});

test('whatever a request contains, its content is restored byte for byte, and its key does not change', () => {
  const hostile = fc.constantFrom(
    '","prompt_cache_breakpoint":{"mode":"explicit"}}',
    '[{"type":"text","text":"',
    '\\"content\\":\\"',
    '"content":"',
    '\\',
    '"',
    '"}]',
    '\n',
    '\ud800',
  );
  const text = fc.array(fc.oneof(hostile, anyText({ maxLength: 12 })), { maxLength: 5 }).map((parts) => parts.join(''));
  const cache = fc.record({ end: fc.option(fc.double({ min: 0, max: 1, noNaN: true })), key: fc.constantFrom(null, 'rowmill-a_1') });
  fc.assert(
    fc.property(
      text,
      text,
      fc.constantFrom(null, 'flex' as const),
      fc.option(cache),
      fc.boolean(),
      (first, second, serviceTier, wish, isChat) => {
        const url = isChat ? chat : '/v1/responses';
        const body = isChat ? makeBody(first, second) : makeBody(first, second).replace('"messages"', '"input"');
        const delivery: Delivery = {
          serviceTier,
          cache: wish && { key: wish.key, end: wish.end === null ? null : Math.floor(wish.end * (body.length - 1)) },
        };
        const sent = addDelivery({ url, body }, delivery);
        JSON.parse(sent);
        assert.equal(removeDelivery(sent), body);
        assert.equal(makeKey(url, sent), makeKey(url, body));
        assert.equal(removeCacheDelivery(sent), addDelivery({ url, body }, { serviceTier, cache: null }));
      },
    ),
    { numRuns: runsOf(2_000) },
  );
});

test('cache settings of the job itself are content', () => {
  const body = '{"model":"m","messages":[{"role":"user","content":"x"}],"prompt_cache_options":{"mode":"implicit"}}';
  assert.equal(addDelivery({ url: chat, body }, { serviceTier: null, cache: { end: null, key: 'k' } }), body);
  assert.equal(removeDelivery(body), body);
  assert.notEqual(makeKey(chat, body), makeKey(chat, '{"model":"m","messages":[{"role":"user","content":"x"}]}'));
});

test('only a refusal that names a cache field is about delivery', () => {
  const refusals: readonly (readonly [message: string, param: string | null, expected: boolean])[] = [
    ["Unknown parameter: 'prompt_cache_options'.", 'prompt_cache_options', true],
    ["Unknown parameter: 'messages[0].content[0].prompt_cache_breakpoint'.", null, true],
    ['Extra inputs are not permitted', 'body.prompt_cache_key', true],
    ["Unknown parameter: 'seed'.", 'seed', false],
    ['prompt is too long', null, false],
  ];
  for (const [message, param, expected] of refusals) assert.equal(isCacheRefusal({ message, param }), expected, message);
});
