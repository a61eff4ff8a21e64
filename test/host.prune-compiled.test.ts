import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pruneCompiled } from '../src/host/prune-compiled.ts';

const DAY_S = 86_400;

test('compiled code is removed if its file is gone or it was not used for 30 days; files with other names are left alone', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'rowmill-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const cache = join(folder, 'cache');
  mkdirSync(cache);
  const bundle = join(folder, 'main.cjs');
  writeFileSync(bundle, '');
  const nowS = Math.floor(Date.now() / 1000);
  const keep = (name: string, days: number) => {
    writeFileSync(join(cache, name), 'x');
    utimesSync(join(cache, name), nowS - days * DAY_S, nowS - days * DAY_S);
    return name;
  };
  const own = encodeURIComponent(bundle);
  const gone = encodeURIComponent(join(folder, 'gone.cjs'));
  const cut = `olders%2Fdist%2Fbundle%2Fmain.cjs`;
  const kept = [keep(`${own}.run`, 29), keep(own, 0), keep(`${cut}.plan`, 1), keep('notes.txt', 400), keep('%2Fsomething', 400)];
  for (const [name, days] of [
    [`${own}.status`, 31],
    [`${gone}.run`, 0],
    [`${gone}.run.12345`, 0],
    [`${own}.run.12345`, 31],
    [`${cut}.run`, 31],
  ] as const)
    keep(name, days);
  mkdirSync(join(cache, 'v22.1.0-x64'));
  pruneCompiled(cache, nowS * 1000);
  assert.deepEqual(readdirSync(cache).toSorted(), [...kept, 'v22.1.0-x64'].toSorted());
});

test('an unreadable folder of compiled code fails no command', () => {
  pruneCompiled(join(tmpdir(), 'rowmill-no-such-folder'), Date.now());
});
