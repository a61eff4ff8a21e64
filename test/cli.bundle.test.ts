import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from './helpers/project-root.ts';
import { wideTest } from './helpers/wide.ts';

const folder = join(projectRoot, 'dist', 'bundle');
const chunks = readdirSync(folder).filter((name) => /\.c?js$/.test(name));
const IMPORTED =
  /^(?:import|export)\b[^'"\n]*?\bfrom ["']([^"']+)["'];$|^import ["']([^"']+)["'];$|^(?:let|const) \w+ = require\("([^"]+)"\)/gm;
const importsOf = (name: string) =>
  [...readFileSync(join(folder, name), 'utf8').matchAll(IMPORTED)].map(
    ([, from, alone, required]) => (from ?? alone ?? required) as string,
  );

/** A file of the bundle and those it reads before its first line runs. */
function findRead(name: string, read = new Set<string>()): ReadonlySet<string> {
  if (read.has(name)) return read;
  read.add(name);
  for (const imported of importsOf(name)) if (imported.startsWith('./')) findRead(imported.slice(2), read);
  return read;
}

const readBytes = (...names: string[]) =>
  [...new Set(names.flatMap((name) => [...findRead(name)]))].reduce((bytes, file) => bytes + statSync(join(folder, file)).size, 0);

test('the published files need no package', () => {
  assert.ok(chunks.length > 20);
  for (const name of chunks) {
    for (const imported of importsOf(name)) assert.ok(imported.startsWith('./') || isBuiltin(imported), `${name} imports ${imported}`);
  }
  const { dependencies = {} } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { dependencies?: object };
  assert.deepEqual(dependencies, {});
});

test('no file changes how the whole process connects: a program that imports the library keeps its own fetch', () => {
  for (const name of chunks) assert.doesNotMatch(readFileSync(join(folder, name), 'utf8'), /undici\.globalDispatcher/, name);
});

test('every file is ASCII, as the compile cache reads it', () => {
  const names = (readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.endsWith('.cjs'));
  assert.ok(names.includes(join('required', 're2js.cjs')));
  for (const name of names) assert.ok(!/[^\0-\x7f]/.test(readFileSync(join(folder, name), 'latin1')), name);
});

test('the licence of every package inside comes with it', () => {
  const text = readFileSync(join(folder, 'LICENCES.txt'), 'utf8');
  const licences = [...text.matchAll(/^(\S+) \d+\.\d+\.\d+, (.+)$/gm)];
  assert.ok(licences.length > 30);
  for (const [, name, licence] of licences) assert.match(licence as string, /^(MIT|ISC|0BSD|Apache-2\.0|BSD-[23]-Clause)$/, name);
});

test('--help and --version load commander and the list of commands only', () => {
  const bytes = readBytes('main.cjs', 'engine.cjs', 'program.cjs');
  assert.ok(bytes < 100_000, `${bytes} bytes`);
});

test('the compile cache is loaded before everything it can keep', () => {
  assert.deepEqual([...findRead('engine.cjs')], ['engine.cjs']);
  assert.deepEqual([...findRead('main.cjs')], ['main.cjs', 'engine.cjs']);
  assert.match(readFileSync(join(folder, 'main.cjs'), 'utf8'), /\.keepCompiled\(\);.*require\("\.\/program\.cjs"\)/s);
});

test('status loads two more files, and neither prices nor the tokenizer', () => {
  const started = new Set([...findRead('main.cjs'), ...findRead('program.cjs')]);
  const files = [...findRead('for-status.cjs')].filter((name) => !started.has(name));
  assert.ok(files.length <= 2, files.join(' '));
  const text = files.map((name) => readFileSync(join(folder, name), 'utf8')).join('');
  assert.match(text, /\/\/ src\/cli\/commands\/status\.ts/);
  assert.doesNotMatch(text, /genai-prices\/|gpt-tokenizer\//);
});

wideTest('a stack trace names functions, and with source maps the lines of src', () => {
  const program = `import { formatProblem } from './index.js'; try { formatProblem(undefined); } catch (error) { console.log(error.stack); }`;
  const readStack = (...flags: string[]) =>
    spawnSync(process.execPath, [...flags, '--input-type=module', '--eval', program], { cwd: folder, encoding: 'utf8' }).stdout;
  assert.match(readStack(), /at formatProblem \(.*\/bundle\/[\w-]+\.cjs:\d+:\d+\)/);
  assert.match(readStack('--enable-source-maps'), /at formatProblem \(.*\/src\/core\/\S+\.ts:\d+:\d+\)/);
});

wideTest('prices of other providers are in a separate file, loaded when needed', () => {
  const place = mkdtempSync(join(tmpdir(), 'rowmill-bundle-'));
  writeFileSync(join(place, 'in.csv'), 'text\ngood\n');
  writeFileSync(
    join(place, 'job.yaml'),
    'name: other\ninput: { path: in.csv }\nmodel: llama-3.3-70b-versatile\nprompt: "{{ text }}"\noutput: text\nwrite: { path: out.csv }\n',
  );
  const args = ['plan', 'job.yaml', '--base-url', 'https://api.groq.com/openai/v1', '--json'];
  const { stdout } = spawnSync(process.execPath, [join(folder, 'main.cjs'), ...args], { cwd: place, encoding: 'utf8' });
  rmSync(place, { recursive: true });
  assert.ok((JSON.parse(stdout) as { cost: { live: { expectedNanoUsd: number } } }).cost.live.expectedNanoUsd > 0, stdout);
  assert.ok(statSync(join(folder, 'other-prices.json')).size > 300_000);
});
