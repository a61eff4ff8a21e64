import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { ImageProblem, makeImageUrl } from '../src/input/request/image-url.ts';
import { createMakeCall } from '../src/live/call.ts';
import { formatDuration } from '../src/output/report/format-times.ts';
import { makePng } from './helpers/images.ts';

const refused: readonly (readonly [string, RegExp])[] = [
  ['https://user:secret@example.com/a.png', /^the image at example\.com: its address contains a user or a password/],
  ['https://token@example.com/a.png', /contains a user or a password/],
  ['http://169.254.169.254/latest/meta-data', /is where clouds hand out credentials/],
  ['http://2852039166/latest', /is where clouds hand out credentials/],
  ['http://0xa9.254.169.254/', /is where clouds hand out credentials/],
  ['http://[fe80::1]/a.png', /is where clouds hand out credentials/],
  ['http://[::ffff:169.254.169.254]/a.png', /is where clouds hand out credentials/],
  ['http://metadata.google.internal/computeMetadata/v1/', /is where clouds hand out credentials/],
  ['http://100.100.100.200/latest', /is where clouds hand out credentials/],
];
for (const [address, why] of refused) {
  test(`no image is at ${address.replace(/secret/, '…')}`, () => {
    const problem = catchProblem(() => makeImageUrl(address, '/'));
    assert.match(problem.message, why);
    assert.doesNotMatch(problem.message, /secret|token@/);
  });
}

test('images on the internet and in a private network are left to the provider', () => {
  for (const address of ['https://example.com/a.png', 'http://192.168.1.4:8080/a.png', 'https://example.com/a@b.png'])
    assert.equal(makeImageUrl(address, '/'), address);
});

test('a link may lead to an image within the folder that the job names, but not out of it', (t) => {
  const top = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
  t.after(() => fs.rmSync(top, { recursive: true }));
  const [photos, other] = [path.join(top, 'photos'), path.join(top, 'other')];
  for (const folder of [photos, other]) fs.mkdirSync(folder);
  const png = makePng(2, 2);
  fs.writeFileSync(path.join(photos, 'true.png'), png);
  fs.writeFileSync(path.join(other, 'secret.png'), png);
  fs.symlinkSync('true.png', path.join(photos, 'alias.png'));
  fs.symlinkSync('../other/secret.png', path.join(photos, 'file.png'));
  fs.symlinkSync('../other', path.join(photos, 'folder'));
  fs.symlinkSync(photos, path.join(top, 'linked'));
  for (const [name, root] of [
    ['true.png', photos],
    ['alias.png', photos],
    ['true.png', path.join(top, 'linked')],
  ] as const)
    assert.match(makeImageUrl(name, root), /^data:image\/png;base64,/);
  for (const name of ['file.png', 'folder/secret.png'])
    assert.match(
      catchProblem(() => makeImageUrl(name, photos)).message,
      /a link leads it out of .*photos, to .*secret\.png; name that folder in the job/,
    );
  assert.match(catchProblem(() => makeImageUrl('../other/secret.png', photos)).message, /outside of/);
});

test('setting the clock during a call changes none of its durations', async () => {
  let [wallMs, monotonicMs] = [Date.parse('2026-11-29T12:00:00Z'), 0];
  for (const jumpMs of [-3_600_000, 259_200_000]) {
    const makeCall = createMakeCall({
      provider: {
        async callEndpoint() {
          wallMs += jumpMs;
          monotonicMs += 870;
          return { status: 'answered', statusCode: 200, requestId: '', headers: new Headers(), bodyText: '{}', body: {} };
        },
      },
      makeLineId: () => 'line',
      clock: () => new Date(wallMs),
      monotonicMs: () => monotonicMs,
    });
    const request = { key: 'k', customId: 'k', url: '/v1/chat/completions', body: '{}' };
    const queuedAt = new Date(wallMs - jumpMs);
    const outcome = await makeCall(request, { queuedAt, waitedMs: 30, signal: new AbortController().signal });
    const { waitMs, callMs } = JSON.parse(outcome.status === 'answered' ? outcome.line : '{}').rowmill;
    assert.deepEqual([waitMs, callMs], [30, 870]);
  }
  assert.equal(formatDuration(-3_599_130), 'not known (the clock was set back)');
});

function catchProblem(make: () => unknown): ImageProblem {
  try {
    make();
  } catch (error) {
    assert.ok(error instanceof ImageProblem, String(error));
    return error;
  }
  return assert.fail('it was taken');
}
