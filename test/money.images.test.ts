import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ImageHeader, readImageHeader } from '../src/core/image-header.ts';
import { hideImageData, makeKey } from '../src/core/request.ts';
import { splitImages } from '../src/money/images/body-images.ts';
import { countImageTokens, countTokensOfSize, knowsImagesOf, mostImageTokens, readImageSize } from '../src/money/images/image-tokens.ts';
import { createShardCount } from '../src/run/plan/shards.ts';
import { countImageTokens as countInSimulator } from '../src/simulator/answers/images.ts';
import { anyText } from './helpers/any-text.ts';
import { makePng } from './helpers/images.ts';
import { runsOf } from './helpers/wide.ts';

const bytes = (...parts: readonly (string | readonly number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))));

const HEADERS: readonly (readonly [title: string, image: Buffer, header: ImageHeader | null])[] = [
  ['PNG', makePng(640, 480), { type: 'png', width: 640, height: 480 }],
  ['GIF', bytes('GIF89a', [0x80, 0x02, 0xe0, 0x01, 0, 0, 0]), { type: 'gif', width: 640, height: 480 }],
  [
    'JPEG behind what a camera wrote',
    bytes([0xff, 0xd8, 0xff, 0xe1, 0, 8], 'Exif..', [0xff, 0xff, 0xc2, 0, 17, 8, 0x01, 0xe0, 0x02, 0x80, 3], '........'),
    { type: 'jpeg', width: 640, height: 480 },
  ],
  ['lossy WebP', bytes('RIFF....WEBPVP8 ....', [0, 0, 0, 0x9d, 1, 0x2a, 0x80, 2, 0xe0, 1]), { type: 'webp', width: 640, height: 480 }],
  ['lossless WebP', bytes('RIFF....WEBPVP8L....', [0x2f, 0x7f, 0xc2, 0x77, 0, 0, 0, 0, 0, 0]), { type: 'webp', width: 640, height: 480 }],
  ['extended WebP', bytes('RIFF....WEBPVP8X....', [0, 0, 0, 0, 0x7f, 2, 0, 0xdf, 1, 0]), { type: 'webp', width: 640, height: 480 }],
  ['PNG without pixels', makePng(0, 480), null],
  ['PNG cut short', makePng(640, 480).subarray(0, 20), null],
  ['JPEG cut short', bytes([0xff, 0xd8, 0xff, 0xe1, 0xff, 0xff]), null],
  ['text', bytes('This is no image, however long it may be, and however it goes on.'), null],
  ['nothing', bytes(''), null],
];

for (const [title, image, header] of HEADERS) {
  test(`the size of an image is read from its first bytes: ${title}`, () => {
    assert.deepEqual(readImageHeader(image), header);
    assert.deepEqual(readImageSize(`data:image/x;base64,${image.toString('base64')}`), header);
  });
}

test('any bytes are an image or not, and never an error', () => {
  const starts = HEADERS.map(([, image]) => image.subarray(0, 16));
  fc.assert(
    fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 60 }), (start, rest) => {
      const header = readImageHeader(Buffer.concat([start, rest]));
      assert.ok(header === null || (header.width > 0 && header.height > 0));
    }),
  );
});

const COUNTS: readonly (readonly [model: string, width: number, height: number, detail: string | null, tokens: number])[] = [
  ['gpt-4o', 1024, 1024, 'high', 765],
  ['gpt-4o', 2048, 4096, null, 1105],
  ['gpt-4o-2024-08-06', 128, 64, 'auto', 255],
  ['gpt-4.1', 4096, 4096, 'low', 85],
  ['gpt-4o-mini', 1024, 1024, 'high', 25_501],
  ['ft:gpt-4o-mini-2024-07-18:acme::x', 1024, 1024, 'low', 2_833],
  ['o3', 1024, 1024, null, 675],
  ['gpt-5', 1024, 1024, null, 630],
  ['gpt-4.1-mini', 1024, 1024, null, Math.ceil(1024 * 1.62)],
  ['gpt-5-nano', 1800, 2400, null, Math.ceil(1452 * 1.5)],
  ['gpt-5-mini', 1024, 1024, null, 1_229],
  ['gpt-5.1', 1024, 1024, null, 630],
  ['gpt-4-turbo', 1024, 1024, null, 765],
  ['gpt-5.2', 1024, 1024, null, 1_229],
  ['gpt-6-astra', 1024, 1024, null, 1_229],
  ['gpt-6-astra', 4096, 512, null, 2_458],
  ['gpt-5.6-sol', 33, 65, null, 8],
  ['gpt-5.5', 8000, 8000, null, 12_000],
  ['gpt-5.5', 8000, 8000, 'high', 3_000],
  ['gpt-5.4', 8000, 8000, null, 3_000],
  ['gpt-5.4-mini', 1024, 1024, null, 1_229],
  ['gpt-6-luna', 1024, 1024, null, 1_229],
  ['o4-mini', 10, 1, null, 2],
];

for (const [model, width, height, detail, tokens] of COUNTS) {
  test(`an image of ${width} x ${height} costs ${model} ${tokens} tokens${detail === null ? '' : ` at detail ${detail}`}`, () => {
    assert.equal(countTokensOfSize(model, { width, height }, detail), tokens);
  });
}

test('the simulator counts the same for any size, and never more than the bound', () => {
  const model = fc.constantFrom(
    'gpt-4o',
    'gpt-4o-mini',
    'gpt-4.1-mini',
    'gpt-4.1-nano',
    'gpt-5',
    'gpt-5-mini',
    'gpt-5-nano',
    'gpt-5.2',
    'gpt-5.4',
    'gpt-5.5',
    'gpt-5.6-luna',
    'o3',
    'o4-mini',
  );
  const side = fc.oneof(fc.integer({ min: 1, max: 6000 }), fc.constantFrom(512, 768, 1024, 2048));
  fc.assert(
    fc.property(model, side, side, fc.constantFrom('low', 'high'), (name, width, height, detail) => {
      const url = `data:image/png;base64,${makePng(width, height).toString('base64')}`;
      const counted = countImageTokens(name, [{ url, detail }]);
      assert.deepEqual(counted, { tokens: countInSimulator(name, { url, detail }), unsizedTokens: 0, unsized: 0 });
      assert.ok(counted.tokens <= (mostImageTokens(name) ?? Number.POSITIVE_INFINITY));
    }),
    { numRuns: runsOf(60) },
  );
});

test('an image behind an address counts as 1024 x 1024, and as the largest possible for a hard limit', () => {
  const address = { url: 'https://example.org/x.png', detail: null };
  assert.deepEqual(countImageTokens('gpt-4o', [address, { ...address, detail: 'low' }]), { tokens: 850, unsizedTokens: 680, unsized: 1 });
  assert.deepEqual(['gpt-5.6-sol', 'gpt-6.1-sol', 'llava-1.6'].map(knowsImagesOf), ['known', 'assumed', 'unknown']);
  assert.deepEqual(['gpt-5.6-sol', 'gpt-6.1-sol', 'llava-1.6'].map(mostImageTokens), [null, null, null]);
  assert.equal(countImageTokens('gpt-5.6-sol', [address]).unsizedTokens, Math.ceil(188 ** 2 * 1.2) - 1_229);
});

test('without its images a body is the same JSON with empty addresses', () => {
  const hostile = '{"type":"image_url","image_url":{"url":"data:x"}}';
  const text = fc.oneof(anyText({ maxLength: 20 }), fc.constantFrom(hostile, '"', '\\', ''));
  const image = fc.record({ url: fc.oneof(fc.webUrl(), text), detail: fc.constantFrom(null, 'low', 'high') });
  fc.assert(
    fc.property(text, fc.array(image, { maxLength: 3 }), (row, images) => {
      const parts = (urls: readonly string[]) =>
        images.map(({ detail }, index) => ({ type: 'image_url', image_url: { url: urls[index], ...(detail === null ? {} : { detail }) } }));
      const make = (urls: readonly string[]) =>
        JSON.stringify({ model: 'm', messages: [{ role: 'user', content: [{ type: 'text', text: row }, ...parts(urls)] }] });
      const split = splitImages(make(images.map(({ url }) => url)));
      assert.equal(split.text, make(images.map(() => '')));
      const found = split.images.map(({ url, detail }) => ({ url: JSON.parse(`"${url}"`) as string, detail }));
      assert.deepEqual(
        found,
        images.map((part) => ({ ...part })),
      );
    }),
  );
});

test('a body with 12 MB of image data has a key, and is shown without the data', () => {
  const body = `{"url":"data:image/png;base64,${'AAAA'.repeat(3_000_000)}"}`;
  assert.equal(makeKey('/v1/chat/completions', body).length, 22);
  assert.match(hideImageData(body), /^\{"url":"sha256:[0-9a-f]{64}"\}$/);
});

test('shards are cut by the bytes of their images', () => {
  const shards = createShardCount(null);
  for (let request = 0; request < 5; request += 1) shards.add(45 * 1024 * 1024, 1000);
  assert.deepEqual(
    shards.list(1).map(({ requests }) => requests),
    [4, 1],
  );
});
