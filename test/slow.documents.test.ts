import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { createWorld } from './helpers/command-line.ts';
import { PROGRAM } from './helpers/program.ts';
import { projectRoot } from './helpers/project-root.ts';

type Records = readonly Readonly<Record<string, string>>[];

const page = readFileSync(join(projectRoot, 'docs', 'recipes', 'long-documents.md'), 'utf8');
const [parts = '', documents = ''] = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text as string);
const [, commands = ''] = /```console\n(.*?)```/s.exec(page) ?? [];
const write = (word: string) => Array.from({ length: 900 }, (_, index) => `Sentence ${index} about ${word}.`).join(' ');
const isThere = spawnSync('sqlite3', ['--version']).status === 0;

test('the recipe of long documents: parts, then the summaries of their summaries', {
  skip: isThere ? false : 'sqlite3 is not installed',
}, () => {
  const world = createWorld({ 'parts.yaml': parts, 'documents.yaml': documents });
  mkdirSync(join(world.folder, 'inbox', 'deep'), { recursive: true });
  const put = (name: string, text: string) => writeFileSync(join(world.folder, 'inbox', name), text);
  put('long.md', write('rain'));
  put('deep/other.txt', write('snow'));
  put('short.txt', 'Only this.');
  try {
    const type = (script: string) =>
      spawnSync('bash', ['-c', `set -eo pipefail; rowmill() { "${process.execPath}" "${PROGRAM}" "$@" --yes --mode live; }; ${script}`], {
        cwd: world.folder,
        encoding: 'utf8',
      });
    const read = (file: string): Records => parse(readFileSync(join(world.folder, file)), { columns: true });
    const typed = commands.split('\n').filter((line) => /^(\$| {4})/.test(line));
    const ran = type(typed.join('\n').replaceAll(/^\$ /gm, ''));
    assert.equal(ran.status, 0, ran.stderr);
    const partRows = read('out/parts.csv');
    assert.deepEqual([...new Set(partRows.map(({ path }) => path))], ['inbox/deep/other.txt', 'inbox/long.md', 'inbox/short.txt']);
    assert.ok(partRows.length >= 5);
    assert.deepEqual(
      read('out/documents.csv').map(({ path }) => path),
      ['inbox/deep/other.txt', 'inbox/long.md', 'inbox/short.txt'],
    );
    // The end changes, and a file is called otherwise: all parts of before are known.
    put('long.md', `${write('rain')} A new end.`);
    renameSync(join(world.folder, 'inbox', 'short.txt'), join(world.folder, 'inbox', 'brief.txt'));
    const again = type('rowmill run parts.yaml --simulate');
    assert.match(again.stdout + again.stderr, /^attempts +2 = /m);
  } finally {
    world.dispose();
  }
});
