import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { makeCustomId, makeKey, makeRequestLine, parseCustomId } from '../src/core/request.ts';

const url = '/v1/chat/completions';
const body =
  '{"model":"gpt-4o-mini","messages":[{"role":"system","content":"Answer in JSON: {\\"label\\": string}"},{"role":"user","content":"Works well."}],"response_format":{"type":"json_object"},"max_completion_tokens":60}';

test('the key of the published example is the published key', () => {
  assert.equal(makeKey(url, body), 'QGfa3LSjV58ITuJA3oaqTG');
});

test('a key is the hash of url and body, and nothing else', () => {
  fc.assert(
    fc.property(fc.string(), fc.json(), (path, json) => {
      const expected = createHash('sha256').update(`${path}\n${json}`).digest('base64url').slice(0, 22);
      assert.equal(makeKey(path, json), expected);
      assert.match(makeKey(path, json), /^[\w-]{22}$/);
    }),
  );
});

test('image data enters a key as the hash of its bytes, whatever its declared type', () => {
  const bytes = Buffer.from('not really a picture');
  const digest = createHash('sha256').update(bytes).digest('hex');
  const withImage = (image: string) => JSON.stringify({ messages: [{ content: [{ type: 'image_url', image_url: { url: image } }] }] });
  const key = makeKey(url, withImage(`data:image/png;base64,${bytes.toString('base64')}`));
  assert.equal(
    key,
    createHash('sha256')
      .update(`${url}\n${withImage(`sha256:${digest}`)}`)
      .digest('base64url')
      .slice(0, 22),
  );
  assert.equal(makeKey(url, withImage(`data:image/jpeg;base64,${bytes.toString('base64')}`)), key);
  assert.notEqual(makeKey(url, withImage(`data:image/png;base64,${Buffer.from('other').toString('base64')}`)), key);
  assert.notEqual(
    makeKey(url, '{"a":"see data:image/png;base64,AAAA"}'),
    makeKey(url, '{"a":"see data:image/png;base64,AAAB"}'),
    'text that only mentions one is text',
  );
});

/** Keys as they occur, those that look like a suffix among them. */
const keys = fc.stringMatching(/^[A-Za-z0-9_-]{22}$/);

test('a wire id is parsed by position, even if the key itself ends like a suffix', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        keys,
        keys.map((key) => `${key.slice(0, 19)}-r1`),
        keys.map((key) => `${key.slice(0, 19)}-o2`),
      ),
      fc.option(fc.integer({ min: 2, max: 999_999_999 })),
      fc.integer({ min: 0, max: 99 }),
      (hash, occurrence, reask) => {
        const key = occurrence === null ? hash : `${hash}-o${occurrence}`;
        assert.deepEqual(parseCustomId(makeCustomId(key, reask)), { key, reask });
      },
    ),
  );
});

test('no other text is one of our ids', () => {
  for (const id of [
    '',
    'row-1',
    'x'.repeat(21),
    `${'x'.repeat(22)}-`,
    `${'x'.repeat(22)}-r`,
    `${'x'.repeat(22)}-r100`,
    `${'x'.repeat(22)}-r1-o2`,
    `${'x'.repeat(22)}-o1234567890`,
    `${'x'.repeat(22)}x`,
    `not-ours-${'x'.repeat(22)}`,
    `${'x'.repeat(21)}/`,
    `${'x'.repeat(22)}\n`,
  ])
    assert.equal(parseCustomId(id), null, JSON.stringify(id));
});

test('a request line is one line of JSON whose body keeps its bytes', () => {
  fc.assert(
    fc.property(keys, fc.dictionary(fc.string(), fc.string()), (key, value) => {
      const text = JSON.stringify(value);
      const line = makeRequestLine({ key, customId: key, url, body: text });
      assert.ok(!line.includes('\n') && line.includes(text));
      assert.deepEqual(JSON.parse(line), { custom_id: key, method: 'POST', url, body: JSON.parse(text) });
    }),
  );
});
