import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createWorld, REVIEW_JOB } from './helpers/command-line.ts';
import { PROGRAM } from './helpers/program.ts';
import { projectRoot } from './helpers/project-root.ts';

const rowmill = `"${process.execPath}" "${PROGRAM}" run job.yaml --simulate --yes --progress none --input - --out -`;

function pipe(folder: string, script: string) {
  return spawnSync('bash', ['-c', `set -o pipefail; ${script}`], { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 });
}

const isThere = (program: string) => spawnSync(program, ['--version']).status === 0;

test('a table passes through a pipe completely, is kept, and costs nothing when piped again', () => {
  const ROWS = 2_000;
  const rows = Array.from({ length: ROWS }, (_, index) => `${index},"Row ""${index}"" ${'and more '.repeat(60)}"`);
  const world = createWorld({ 'job.yaml': REVIEW_JOB, 'table.txt': `id,text\n${rows.join('\n')}\n` });
  try {
    const first = pipe(world.folder, `cat table.txt | ${rowmill} | tee out.csv | wc -l`);
    assert.deepEqual([first.status, first.stdout.trim()], [0, String(ROWS + 1)], first.stderr);
    assert.ok(statSync(join(world.folder, 'out.csv')).size > 1_000_000);
    const again = pipe(world.folder, `cat table.txt | ${rowmill} | wc -l`);
    assert.equal(again.stdout.trim(), String(ROWS + 1));
    assert.match(again.stderr, /^attempts +0 = /m);
    const kept = pipe(world.folder, `"${process.execPath}" "${PROGRAM}" status job.yaml --simulate --json`);
    assert.equal((JSON.parse(kept.stdout) as { rows: { in: number } }).rows.in, ROWS);
  } finally {
    world.dispose();
  }
});

test('Parquet and a workbook pass through a pipe like text', () => {
  const world = createWorld({ 'job.yaml': REVIEW_JOB });
  try {
    for (const [name, rows] of [
      ['types.parquet', 3],
      ['book.xlsx', 3],
    ] as const) {
      const { status, stdout, stderr } = pipe(world.folder, `cat "${join(projectRoot, 'fixtures', name)}" | ${rowmill}`);
      assert.ok(status === 0 || status === 3, stderr);
      assert.match(stdout, /^id,/);
      assert.match(stderr, new RegExp(`^rows in +${rows} = `, 'm'));
    }
  } finally {
    world.dispose();
  }
});

test('a stopped run writes nothing to the pipe, and its exit code shows it', () => {
  const world = createWorld({ 'job.yaml': REVIEW_JOB, 'table.csv': 'id,text\n1,a\n2,b\n' });
  try {
    const stopped = pipe(world.folder, `cat table.csv | ${rowmill} --max-usd 0.000000001 | wc -c`);
    assert.deepEqual([stopped.status, stopped.stdout.trim()], [5, '0'], stopped.stderr);
    const done = pipe(world.folder, `cat table.csv | ${rowmill} | wc -l`);
    assert.deepEqual([done.status, done.stdout.trim()], [0, '3'], done.stderr);
  } finally {
    world.dispose();
  }
});

const skip = isThere('sqlite3') ? false : 'sqlite3 is not installed';

test('the recipe with sqlite3 on both ends works', { skip }, () => {
  const world = createWorld({ 'job.yaml': REVIEW_JOB });
  try {
    const rows = "INSERT INTO reviews VALUES (1, 'Good, \"really\"'), (2, 'two' || char(10) || 'lines'), (3, 'Grüße');";
    execFileSync('sqlite3', ['shop.db', `CREATE TABLE reviews (id INTEGER, text TEXT); ${rows}`], { cwd: world.folder });
    const from = `sqlite3 -header -csv shop.db 'SELECT * FROM reviews'`;
    const { status, stderr } = pipe(world.folder, `${from} | ${rowmill} | sqlite3 shop.db '.import --csv /dev/stdin labelled'`);
    assert.equal(status, 0, stderr);
    const same = 'SELECT count(*) FROM labelled l JOIN reviews r ON l.id = r.id AND l.text = r.text WHERE l._status = "ok"';
    assert.equal(execFileSync('sqlite3', ['shop.db', same], { cwd: world.folder, encoding: 'utf8' }).trim(), '3');
  } finally {
    world.dispose();
  }
});

test('the recipe of pipes names existing commands and flags', () => {
  const page = readFileSync(join(projectRoot, 'docs', 'recipes', 'pipes.md'), 'utf8');
  assert.equal(page.match(/rowmill run jobs\/ticket-labels\.yaml --input - --out - --yes/g)?.length, 4);
});
