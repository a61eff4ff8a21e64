// `npm run watch`: after every change of a source, compiles and runs the tests that depend on it; `npm run watch -- PATTERN` only those whose
// file name matches. Dependencies are read from the compiled files: any relative path ending in .js, so that commands a test starts count too.
import { spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { listTestFiles, runTests } from './run-tests.mjs';

const WATCHED = ['src', 'test'];
/** Editors and version control write many files at once. */
const QUIET_MS = 200;
const pattern = new RegExp(process.argv.slice(2).join(' '));

/** Of every compiled file: a hash of it, and the files it names. */
function readCompiled() {
  const files = readdirSync('dist', { recursive: true }).filter((name) => name.endsWith('.js'));
  return new Map(
    files.map((name) => {
      const text = readFileSync(join('dist', name), 'utf8');
      const named = [...text.matchAll(/['"`](\.\.?\/[^'"`\n]+\.js)['"`]/g)].map(([, path]) => join(dirname(name), path));
      return [name, { hash: hash('sha1', text), named }];
    }),
  );
}

/** The compiled files reached from one, itself included. */
function findReached(name, compiled) {
  const reached = new Set([name]);
  for (const at of reached) for (const next of compiled.get(at)?.named ?? []) reached.add(next);
  return reached;
}

let before = existsSync('dist') ? readCompiled() : new Map();

function onChange() {
  if (spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' }).status !== 0) return;
  const compiled = readCompiled();
  const isChanged = (name) => before.get(name)?.hash !== compiled.get(name)?.hash;
  const chosen = listTestFiles()
    .filter((name) => pattern.test(name) && (pattern.source !== '(?:)' || !name.startsWith('slow.')))
    .filter((name) => [...findReached(join('test', name), compiled)].some(isChanged));
  before = compiled;
  console.log(chosen.length === 0 ? 'no test reaches what changed' : `${chosen.length} test files reach what changed`);
  if (chosen.length > 0) runTests(chosen);
}

let timer;
function onEvent() {
  clearTimeout(timer);
  timer = setTimeout(onChange, QUIET_MS);
}
for (const folder of WATCHED) watch(folder, { recursive: true }, onEvent);
onChange();
console.log(`watching ${WATCHED.join(' and ')}`);
