import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeJob } from '../src/input/job/make-job.ts';
import { describeUnboundImages } from '../src/money/images/unbound-images.ts';
import { makePng } from './helpers/images.ts';

const image = (bytes: Buffer) => `{"type":"image_url","image_url":{"url":"data:image/png;base64,${bytes.toString('base64')}"}}`;
const pdf = (text: string) =>
  `{"type":"file","file":{"file_data":"data:application/pdf;base64,${Buffer.from(text).toString('base64')}","filename":"a"}}`;
const FRAME = image(makePng(2048, 768));
const SCAN = image(Buffer.concat([makePng(2048, 768), Buffer.alloc(60_000)]));
const SHORT_PDF = pdf(`%PDF-1.7 /Type /Page ${'x'.repeat(9_000)}`);
const DENSE_PDF = pdf(`%PDF-1.7 ${'/Type /Page '.repeat(100)}`);

/** What one entry of `prompt.images` has become, and whether a budget holds it. */
const CASES: readonly (readonly [name: string, model: string, parts: readonly string[], isHeld: boolean])[] = [
  ['text', 'gpt-4o-mini', [], true],
  ['one image, however small its file', 'gpt-4o-mini', [FRAME], true],
  ['images that are larger in bytes than in tokens', 'gpt-4o-mini', Array(20).fill(SCAN), true],
  ['many frames that are small in bytes', 'gpt-4o-mini', Array(20).fill(FRAME), false],
  ['a page', 'gpt-4o', [SHORT_PDF], true],
  ['a hundred pages in two kilobytes', 'gpt-4o', [DENSE_PDF], false],
  ['a model that takes any size, for which no budget is taken', 'gpt-6-luna', [DENSE_PDF], true],
];

test('a budget reports images and files whose tokens it cannot bound', () => {
  for (const [name, model, parts, isHeld] of CASES) {
    const job = makeJob(
      { name: 'b', input: { path: 'a.csv' }, model, output: 'text', prompt: { user: 'x', images: ['frames/*.png'] } },
      { directory: '/' },
    );
    const body = `{"model":"${model}","messages":[{"role":"user","content":[{"type":"text","text":"x"}${parts.map((part) => `,${part}`).join('')}]}]}`;
    const says = describeUnboundImages(job, body);
    assert.equal(says === null, isHeld, `${name}: ${says}`);
    if (!isHeld) assert.match(says ?? '', /can count [\d,]+ tokens with .* a budget reserves [\d,]+: it cannot be kept for them/);
  }
});
