import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from './helpers/project-root.ts';

/**
 * Levels from the ground up; a folder may import lower levels and itself. `inspect` looks at what `run` left, never the other way round; `upkeep` changes
 * it without asking a model anything.
 */
const LEVELS: readonly (readonly string[])[] = [
  ['core'],
  ['input', 'openai', 'ledger', 'money', 'output', 'quality'],
  ['batch', 'live'],
  ['run'],
  ['inspect'],
  ['upkeep'],
  ['host'],
  ['prove'],
  ['cli', 'api'],
  ['index.ts'],
];
/** The simulator stands apart: it imports nothing of ours, so that it can disagree with us, and only who starts it imports it. */
const STARTS_SIMULATOR = ['cli', 'host', 'prove'];
const HOMES: Readonly<Record<string, string>> = {
  yaml: 'input',
  ajv: 'input',
  re2js: 'input',
  liquidjs: 'input',
  openai: 'openai',
  undici: 'openai',
  hyparquet: 'input',
  'hyparquet-compressors': 'input',
  'hyparquet-writer': 'output',
  yauzl: 'input',
  saxes: 'input',
  'gpt-tokenizer': 'money',
  '@pydantic/genai-prices': 'money',
  commander: 'cli',
  pino: 'cli',
  'prom-client': 'cli',
  '@bomb.sh/tab': 'cli',
  'p-limit': 'live',
  bullmq: 'live',
  ioredis: 'live',
};
const MAX_LINES = 300;
const MAX_FILES = 24;

const source = join(projectRoot, 'src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const folderOf = (file: string) => file.split('/')[0] as string;
const levelOf = (folder: string) => LEVELS.findIndex((level) => level.includes(folder));
const importsOf = (file: string) =>
  [...readFileSync(join(source, file), 'utf8').matchAll(/(?<!')\b(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] as string);

function findImportedFiles(file: string): readonly string[] {
  return importsOf(file)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => relative(source, resolve(dirname(join(source, file)), specifier)));
}

test('a file imports its own folder and lower levels only', () => {
  for (const file of files) {
    const from = folderOf(file);
    for (const imported of findImportedFiles(file)) {
      const target = folderOf(imported);
      if (target === from) continue;
      const isAllowed =
        from !== 'simulator' && (target === 'simulator' ? STARTS_SIMULATOR.includes(from) : levelOf(target) < levelOf(from));
      assert.ok(isAllowed, `src/${file} imports src/${imported}`);
    }
  }
});

test('the checker of a proof shares no code with the program, and nothing imports the seam', () => {
  for (const file of files.filter((name) => /^prove\/(check|seam)\//.test(name)))
    for (const imported of findImportedFiles(file)) assert.equal(dirname(imported), dirname(file), `src/${file} imports src/${imported}`);
  for (const file of files.filter((name) => name.startsWith('prove/')))
    for (const imported of findImportedFiles(file))
      assert.match(imported, /^(prove|simulator|core)\//, `src/${file} imports src/${imported}`);
});

test('no file takes part in a circle of imports, not even by types', () => {
  const importsByFile = new Map(files.map((file) => [file, findImportedFiles(file)]));
  const done = new Set<string>();
  function visit(file: string, trail: readonly string[]): void {
    const at = trail.indexOf(file);
    assert.equal(at, -1, `a circle: ${[...trail.slice(at), file].join(' -> ')}`);
    if (done.has(file)) return;
    for (const imported of importsByFile.get(file) ?? []) visit(imported, [...trail, file]);
    done.add(file);
  }
  for (const file of files) visit(file, []);
});

test('no folder holds more than 24 files of its own', () => {
  const counts = new Map<string, number>();
  for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  for (const [folder, count] of counts) assert.ok(count <= MAX_FILES, `src/${folder} holds ${count} files`);
});

test('every npm package is used from its one home folder', () => {
  for (const file of files) {
    for (const specifier of importsOf(file).filter((name) => !name.startsWith('.') && !name.startsWith('node:'))) {
      const name = specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/');
      // Types cost nothing at run time, but a type of a package elsewhere would spread its shapes all the same.
      assert.equal(folderOf(file), HOMES[name], `src/${file} imports ${specifier}`);
    }
  }
});

test('no file is longer than 300 lines', () => {
  for (const file of files) assert.ok(readFileSync(join(source, file), 'utf8').split('\n').length <= MAX_LINES + 1, `src/${file}`);
});
