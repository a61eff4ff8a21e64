import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { hideImageData, makeKey } from '../src/core/request.ts';
import { compileJob } from '../src/input/compile-job.ts';
import { makeJob } from '../src/input/job/make-job.ts';
import { openTable } from '../src/input/table/open-table.ts';
import { splitImages } from '../src/money/images/body-images.ts';
import { countImageTokens } from '../src/money/images/image-tokens.ts';
import { createJobTokens } from '../src/money/tokens/job-tokens.ts';
import { checkImages, countImageTokens as countInSimulator } from '../src/simulator/answers/images.ts';
import { readPrompt } from '../src/simulator/answers/prompt.ts';

const { signal } = new AbortController();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-files-'));
after(() => fs.rmSync(folder, { recursive: true }));

const PNG = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010806000000', 'hex');
const PDF = Buffer.from(
  `%PDF-1.7\n1 0 obj << /Type /Pages /Count 2 >>\n2 0 obj << /Type /Page >>\n3 0 obj <</Type/Page>>\n${'x'.repeat(90)}`,
);
const FILES: Readonly<Record<string, Buffer>> = {
  'inbox/a.pdf': PDF,
  'inbox/b.txt': Buffer.from('text'),
  'frames/1/f-01.png': PNG,
  'frames/1/f-02.png': PNG,
  'frames/1/notes.txt': Buffer.from('no frame'),
};
for (const [name, bytes] of Object.entries(FILES)) {
  fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  fs.writeFileSync(path.join(folder, name), bytes);
}
fs.writeFileSync(path.join(folder, 'videos.csv'), 'id\n1\n2\n');

async function renderAll(spec: { readonly input: object; readonly prompt: object; readonly endpoint?: string }) {
  const job = makeJob({ name: 'files', model: 'gpt-4o-mini', output: 'text', ...spec }, { directory: folder });
  const compiled = compileJob({ job }, await openTable(job.input, { cwd: folder, signal }));
  const table = await openTable(job.input, { cwd: folder, signal });
  const rendered = [];
  for await (const rows of table.readRows(signal)) for (const row of rows) rendered.push(compiled.render(row));
  return rendered;
}

const DATA = `data:application/pdf;base64,${PDF.toString('base64')}`;
const WIRE: readonly (readonly [endpoint: string, body: string])[] = [
  [
    '/v1/chat/completions',
    `{"model":"gpt-4o-mini","messages":[{"role":"user","content":[{"type":"text","text":"Read a.pdf"},{"type":"file","file":{"file_data":"${DATA}","filename":"a.pdf"}}]}]}`,
  ],
  [
    '/v1/responses',
    `{"model":"gpt-4o-mini","input":[{"role":"user","content":[{"type":"input_text","text":"Read a.pdf"},{"type":"input_file","file_data":"${DATA}","filename":"a.pdf"}]}],"store":false}`,
  ],
];

for (const [endpoint, body] of WIRE) {
  test(`a PDF goes to ${endpoint} as a file, and its key holds the hash of its bytes`, async () => {
    const prompt = { user: 'Read {{ name }}', files: ['{{ path }}'] };
    const [rendered] = await renderAll({ input: { documents: 'inbox/*.pdf' }, prompt, endpoint });
    assert.ok(rendered?.status === 'request', JSON.stringify(rendered));
    assert.equal(rendered.request.body, body);
    assert.equal(rendered.request.key, makeKey(endpoint, hideImageData(body)));
    const { text, images } = splitImages(body);
    assert.deepEqual(images, [{ url: DATA, detail: null }]);
    assert.equal(text, body.replace(DATA, ''));
    assert.deepEqual(countImageTokens('gpt-4o', images), { tokens: 2 * (800 + 765), unsizedTokens: 1_600, unsized: 0 });
    assert.ok(createJobTokens('gpt-4o-mini').estimateOne(body) < 100_000);
    // The simulator's bill counts what the estimate counts, by rules of its own.
    const sent = readPrompt(JSON.parse(body));
    for (const model of ['gpt-4o', 'gpt-4o-mini', 'gpt-5.4']) {
      assert.equal(
        sent.at(-1)?.images.reduce((sum, image) => sum + countInSimulator(model, image), 0),
        countImageTokens(model, images).tokens,
      );
    }
    assert.doesNotThrow(() => checkImages(sent.at(-1)?.images ?? []));
  });
}

test('a file that is not a PDF, or is outside the folder, skips its row with the reason', async () => {
  const input = { documents: 'inbox/b.txt' };
  const cases: readonly (readonly [string, RegExp])[] = [
    ['{{ path }}', /the file "inbox\/b\.txt": not a PDF; texts go into the prompt as \{\{ text \}\}/],
    ['https://example.org/a.pdf', /name a path; addresses are not fetched/],
    ['{{ name }}.pdf', /the file "b\.txt\.pdf": no such file/],
    ['../{{ name }}', /the file/],
    ['inbox/*.doc', /no file matches "\*\.doc"/],
  ];
  for (const [file, says] of cases) {
    const [rendered] = await renderAll({ input, prompt: { user: 'Read {{ name }}', files: [file] } });
    assert.ok(rendered?.status === 'skipped', file);
    assert.equal(rendered.cause, 'unrenderable');
    assert.match(rendered.message, says);
  }
});

test('a glob of images expands to all matching files, in the order of their names', async () => {
  const prompt = { user: 'What happens?', images: [{ url: 'frames/{{ id }}/f-*.png', detail: 'low' }] };
  const [first, second] = await renderAll({ input: { path: 'videos.csv', id: 'id' }, prompt });
  assert.ok(first?.status === 'request');
  assert.equal(first.request.body.match(/"type":"image_url"/g)?.length, 2);
  assert.equal(splitImages(first.request.body).images.length, 2);
  assert.ok(second?.status === 'skipped');
  assert.match(second.message, /no file matches "2\/f-\*\.png"/);
});

test('images and files of one body are found in order, whatever is between them', () => {
  const image = (url: string) => `{"type":"image_url","image_url":{"url":"${url}"}}`;
  const file = (data: string) => `{"type":"file","file":{"file_data":"${data}","filename":"f"}}`;
  const body = `[${[image('u1'), file('d1'), image('u2'), file('d2'), file('d3')].join(',')}]`;
  const { text, images } = splitImages(body);
  assert.deepEqual(
    images.map(({ url }) => url),
    ['u1', 'd1', 'u2', 'd2', 'd3'],
  );
  assert.deepEqual(JSON.parse(text), JSON.parse(body.replaceAll(/"[ud]\d"/g, '""')));
});
