import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PROGRAM } from './helpers/program.ts';

const skip = Number(process.versions.node.split('.')[0]) >= 22 && 'Node keeps compiled code itself from 22 on';
/** Where the bytes of V8 begin in a kept file. */
const IDENTITY_BYTES = 96;

function makePlace(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'rowmill-compiled-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return {
    folder,
    path: (name: string) => join(folder, name),
    run(env: Readonly<Record<string, string>>) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, 'schema'], {
        cwd: folder,
        env: { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, ...env },
        encoding: 'utf8',
      });
      assert.deepEqual([status, stderr], [0, '']);
      assert.equal((JSON.parse(stdout) as { type: string }).type, 'object');
    },
  };
}

/** What is kept in a folder, by name: when it was written, and its bytes. */
function readKept(folder: string) {
  return new Map(
    readdirSync(folder).map((name) => [name, { at: statSync(join(folder, name)).mtimeMs, bytes: readFileSync(join(folder, name)) }]),
  );
}

test('compiled code is stored once, for its user only, and used by the next start', { skip }, (t) => {
  const place = makePlace(t);
  place.run({});
  const folder = place.path(`rowmill-compiled-${process.getuid?.()}`);
  const kept = readKept(folder);
  assert.ok(kept.size > 2);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  for (const name of kept.keys()) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
  place.run({});
  assert.deepEqual(readKept(folder), kept);
  const listOf = (command: string) => [...kept.keys()].filter((name) => name.endsWith(`.${command}`));
  assert.ok(listOf('schema').length > 1, 'kept for the command that ran');
  assert.equal(listOf('run').length, 0);
});

test('compiled code of another file, another Node, or an incomplete one is compiled again', { skip }, (t) => {
  const place = makePlace(t);
  const env = { NODE_COMPILE_CACHE: place.path('kept') };
  place.run(env);
  const kept = readKept(env.NODE_COMPILE_CACHE);
  const [name = '', { bytes } = { bytes: Buffer.alloc(0) }] = [...kept].find(([name]) => name.includes('define-commands')) ?? [];
  const otherIdentity = Buffer.from(bytes);
  otherIdentity.write('v0');
  const damages = [
    otherIdentity,
    Buffer.alloc(0),
    Buffer.alloc(bytes.length),
    bytes.subarray(0, 40),
    bytes.subarray(0, IDENTITY_BYTES),
    bytes.subarray(0, bytes.length / 2),
    Buffer.concat([bytes.subarray(0, IDENTITY_BYTES), Buffer.alloc(bytes.length)]),
  ];
  for (const damaged of damages) {
    writeFileSync(join(env.NODE_COMPILE_CACHE, name), damaged);
    place.run(env);
    const anew = readFileSync(join(env.NODE_COMPILE_CACHE, name));
    assert.ok(anew.subarray(0, IDENTITY_BYTES).equals(bytes.subarray(0, IDENTITY_BYTES)) && !anew.equals(damaged), 'written anew');
  }
});

test('nothing is stored or used if it is turned off, or another user could have written it', { skip }, (t) => {
  const place = makePlace(t);
  const folder = place.path('kept');
  place.run({ NODE_COMPILE_CACHE: folder, NODE_DISABLE_COMPILE_CACHE: '1' });
  assert.ok(!existsSync(folder));
  const own = place.path('own');
  place.run({ NODE_COMPILE_CACHE: own });
  const kept = readKept(own).size;
  symlinkSync(own, place.path('link'));
  chmodSync(own, 0o777);
  rmSync(join(own, readdirSync(own)[0] as string));
  for (const name of ['own', 'link']) place.run({ NODE_COMPILE_CACHE: place.path(name) });
  assert.equal(readKept(own).size, kept - 1);
  writeFileSync(place.path('file'), '');
  place.run({ NODE_COMPILE_CACHE: place.path('file') });
  place.run({ NODE_COMPILE_CACHE: '/proc/none/of/it' });
});
