import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Summary } from '../src/core/summary.ts';
import { judgePlace, type Place, type Standing } from '../src/ledger/disk/place.ts';
import { startSimulator } from '../src/simulator/start.ts';
import { createWorld } from './helpers/command-line.ts';
import { makeJobText, makeRows, renderCsv } from './helpers/run-world.ts';

const HERE: Place = { host: 'a', path: '/jobs/.rowmill/x', device: '1', inode: '10' };
const ELSEWHERE = '/copies/.rowmill/x';

/** What happened, the places the directory knows, where it lies now, whether the first one is still there, and what follows. */
const STANDINGS: readonly (readonly [string, readonly Place[], Place, boolean, Standing['status']])[] = [
  ['it was just made', [], HERE, false, 'new'],
  ['nothing', [HERE], HERE, true, 'known'],
  ['its disk was mounted anew', [HERE], { ...HERE, device: '2' }, false, 'known'],
  ['it was renamed', [HERE], { ...HERE, path: ELSEWHERE }, false, 'known'],
  ['a container with a name of its own looks at it', [HERE], { ...HERE, host: 'b', path: '/work' }, false, 'known'],
  ['it is seen from a second place again', [{ ...HERE, path: '/x', inode: '5' }, HERE], HERE, false, 'known'],
  ['it was restored from a backup', [HERE], { ...HERE, inode: '11' }, false, 'moved'],
  ['it was moved to another disk', [HERE], { ...HERE, path: ELSEWHERE, device: '2', inode: '11' }, false, 'moved'],
  ['it was copied', [HERE], { ...HERE, path: ELSEWHERE, inode: '11' }, true, 'copied'],
  ['it was copied to a disk that gave it the same number', [HERE], { ...HERE, path: ELSEWHERE, device: '2' }, true, 'copied'],
  ['it came from another host', [HERE], { ...HERE, host: 'b', inode: '11' }, false, 'copied'],
];

for (const [what, known, here, isThere, expected] of STANDINGS) {
  test(`a state directory is ${expected} if ${what}`, () => {
    assert.equal(judgePlace(here, known, (place) => isThere && place === HERE.path).status, expected);
  });
}

async function makeTwoFolders(t: TestContext, faults: unknown = []) {
  const world = createWorld({});
  const folder = path.join(world.folder, 'job');
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, 'job.yaml'), makeJobText());
  fs.writeFileSync(path.join(folder, 'in.csv'), renderCsv(makeRows(4)));
  const simulator = await startSimulator({ faults });
  const copy = path.join(world.folder, 'copy');
  t.after(async () => {
    await simulator.close();
    world.dispose();
  });
  const flags = ['--base-url', simulator.url, '--yes', '--progress', 'none', '--looks', '0.05,0.2'];
  const run = (folder: string, ...more: string[]) =>
    world.run(['run', path.join(folder, 'job.yaml'), ...flags, '--json', ...more], { OPENAI_API_KEY: 'sk-x' });
  const readEvents = (folder: string) => {
    const states = path.join(folder, '.rowmill');
    return fs.readFileSync(path.join(states, fs.readdirSync(states)[0] as string, 'events.jsonl'), 'utf8');
  };
  return { folder, copy, simulator, run, readEvents };
}

test('a copied state directory needs one confirmation, and is never used silently', async (t) => {
  const { folder, copy, simulator, run, readEvents } = await makeTwoFolders(t);
  assert.equal((await run(folder)).exitCode, 0);
  fs.cpSync(folder, copy, { recursive: true });
  fs.appendFileSync(path.join(copy, 'in.csv'), 'r9,One more\n');
  const before = readEvents(copy);

  const refused = await run(copy);
  assert.equal(refused.exitCode, 2, refused.stderr);
  assert.match(refused.stderr, /is a copy of the state directory .*, which is still there/);
  assert.match(refused.stderr, /add --adopt-copy once/);
  assert.equal(readEvents(copy), before);
  assert.equal(simulator.bill().length, 4);

  const adopted = await run(copy, '--adopt-copy');
  assert.equal(adopted.exitCode, 0, adopted.stderr);
  assert.equal((JSON.parse(adopted.stdout) as Summary).rows.reused, 4);
  assert.match(readEvents(copy), /"type":"state-adopted"/);
  fs.appendFileSync(path.join(copy, 'in.csv'), 'r10,And one more\n');
  assert.equal((await run(copy)).exitCode, 0);
  assert.equal(simulator.bill().length, 6);
  assert.equal((await run(folder)).exitCode, 0, 'the first goes on as before');
});

test('a renamed folder continues without a message', async (t) => {
  const { folder, copy, simulator, run } = await makeTwoFolders(t);
  await run(folder);
  fs.renameSync(folder, copy);
  fs.appendFileSync(path.join(copy, 'in.csv'), 'r9,One more\n');
  const ended = await run(copy);
  assert.equal(ended.exitCode, 0, ended.stderr);
  assert.doesNotMatch(ended.stderr, /copy|was at/);
  assert.equal(simulator.bill().length, 5);
});

test('a copy finds the batch that was created just before it was copied, by the id the directory had then', async (t) => {
  const lost = { match: { method: 'POST', path: '/v1/batches', nth: 1 }, do: { drop: 'after' } };
  const hidden = { match: { method: 'GET', path: '/v1/batches', nth: 2 }, do: { status: 401 } };
  const { folder, copy, simulator, run } = await makeTwoFolders(t, [lost, hidden]);
  const stopped = await run(folder);
  assert.equal(stopped.exitCode, 4, stopped.stderr);
  fs.cpSync(folder, copy, { recursive: true });
  const ended = await run(copy, '--adopt-copy');
  assert.equal(ended.exitCode, 0, ended.stderr);
  assert.equal(simulator.requests()['POST /v1/batches'], 1);
  assert.equal(simulator.bill().length, 4);
});
