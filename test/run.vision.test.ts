import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { renderPlan } from '../src/cli/render/render-plan.ts';
import { makePng } from './helpers/images.ts';
import { PLAIN_LOOK } from './helpers/plain-look.ts';
import { planWorld } from './helpers/plan-world.ts';
import { makeWorld, renderCsv } from './helpers/run-world.ts';
import { someOf, wideTest } from './helpers/wide.ts';

const PHOTO = makePng(1024, 1024);
const DATA_URL = `data:image/png;base64,${PHOTO.toString('base64')}`;

const JOB = [
  'model: gpt-4o',
  'prompt:',
  '  user: "Label and summarize, reply in JSON: {{ text }}"',
  '  images: ["photos/{{ photo }}", { url: "{{ web }}", detail: low }]',
].join('\n');

const ROWS = [
  ['r1', 'a red bicycle', 'bicycle.png', ''],
  ['r2', 'the same', 'bicycle.png', DATA_URL],
  ['r3', 'behind an address', '', 'https://images.example.org/3.jpg'],
  ['r4', 'no such file', 'gone.png', ''],
  ['r5', 'no image', 'notes.txt', ''],
  ['r6', 'somebody else’s', '../secret.png', ''],
  ['r7', 'neither', '', ''],
  ['r8', 'an odd address', '', 'ftp://example.org/x.png'],
  ['r9', 'a folder', '.', ''],
  ['', '', '', ''],
] as const;

async function makeVisionWorld(t: Parameters<typeof makeWorld>[0], mode = 'batch') {
  const world = await makeWorld(t, { job: JOB });
  world.write('job.yaml', world.read('job.yaml').replace('mode: batch', `mode: ${mode}`));
  world.write('in.csv', renderCsv(ROWS, ['id', 'text', 'photo', 'web']));
  fs.mkdirSync(world.path('photos'));
  fs.writeFileSync(world.path('photos/bicycle.png'), PHOTO);
  fs.writeFileSync(world.path('photos/notes.txt'), 'not an image');
  fs.writeFileSync(world.path('secret.png'), PHOTO);
  return world;
}

for (const mode of someOf(['batch', 'live'], 1)) {
  wideTest(`rows with images are sent, priced and counted in the ${mode} lane; bad images are skipped with their cause`, async (t) => {
    const world = await makeVisionWorld(t, mode);
    const plan = await planWorld(world);
    assert.deepEqual([plan.rows.new, plan.rows.skipped], [3, 7]);
    assert.deepEqual(plan.skipped, { unrenderable: 5, empty: 2 });
    assert.deepEqual(plan.problems, []);
    const { summary } = await world.run();
    assert.deepEqual([summary.rows.ok, summary.rows.skipped, summary.rows.failed], [3, 7, 0]);
    // 765 for the large image in full, twice; 85 for each at low detail.
    assert.ok(summary.tokens.input > 2 * 765 + 2 * 85 && summary.tokens.input < 2 * 765 + 2 * 85 + 150, String(summary.tokens.input));
    assert.ok(
      Math.abs(plan.tokens.input / summary.tokens.input - 1) < 0.05,
      `${plan.tokens.input} planned, ${summary.tokens.input} billed`,
    );
    const failures = world.read('out.failures.csv');
    for (const message of [
      'no such file',
      'not a PNG, JPEG, GIF or WebP image',
      'outside of',
      'every image of the row is empty',
      'no file',
    ])
      assert.ok(failures.includes(message), `${message} in ${failures}`);
    if (mode === 'live') return;
    const again = await world.run();
    assert.equal(again.summary.attempts.total, 0, 'the same images are the same requests');
    fs.writeFileSync(world.path('photos/bicycle.png'), makePng(512, 512));
    assert.equal((await planWorld(world)).rows.changed, 2, 'another image is another request');
    assert.equal((await world.run()).summary.attempts.total, 2, 'though nothing else changed');
  });
}

test('a body has text and images as parts, and the plan shows image data as its hash', async (t) => {
  const world = await makeVisionWorld(t);
  const plan = await planWorld(world);
  const { firstRequest } = plan;
  const { messages } = firstRequest as { messages: readonly unknown[] };
  const [first] = messages as readonly { content: readonly [unknown, { image_url: { url: string } }] }[];
  assert.deepEqual(first?.content[0], { type: 'text', text: 'Label and summarize, reply in JSON: a red bicycle' });
  assert.match(first?.content[1].image_url.url ?? '', /^sha256:[0-9a-f]{64}$/);
  assert.equal(first?.content.length, 2);
  assert.match(
    renderPlan(plan, PLAIN_LOOK),
    /\nuser: Label and summarize, reply in JSON: a red bicycle\n {2}\[image sha256:[0-9a-f]{64}\]\n/,
  );
});

test('images of a model without a known counting rule cause a warning', async (t) => {
  const world = await makeVisionWorld(t);
  world.write('job.yaml', world.read('job.yaml').replace('model: gpt-4o', 'model: gpt-9').replace(', detail: low', ''));
  const told = JSON.stringify((await planWorld(world)).problems);
  assert.match(told, /how gpt-9 counts images is not known/);
  assert.match(told, /the size of 1 image behind a web address is not known/);
});

test('a wrong key or a missing column of an image is reported with its place', async (t) => {
  const world = await makeVisionWorld(t);
  const change = (from: string, to: string) => world.write('job.yaml', world.read('job.yaml').replace(from, to));
  change('{{ web }}', '{{ wep }}');
  await assert.rejects(planWorld(world), /job\.yaml:\d+:\d+ {2}prompt\.images\[1\]\.url: no column "wep".*Did you mean "web"/s);
  change('{{ wep }}', '{{ web }}');
  change('detail: low', 'detail: lowest');
  await assert.rejects(planWorld(world), /job\.yaml:\d+:\d+ {2}prompt\.images\[1\]\.detail/);
});
