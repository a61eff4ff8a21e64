import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createWorld } from './helpers/command-line.ts';

test('doctor reports in one sentence that there is no place for temporary files', async (t) => {
  const world = createWorld({});
  t.after(world.dispose);
  const { exitCode, stderr } = await world.spawn(['doctor'], { TMPDIR: join(world.folder, 'missing') });
  assert.equal(exitCode, 2);
  assert.match(stderr, /cannot create a folder in .*missing \(ENOENT\); set TMPDIR to a writable folder/);
  assert.doesNotMatch(stderr, /\bat .*:\d+:\d+/);
});
