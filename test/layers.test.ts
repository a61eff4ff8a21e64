import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from './helpers/project-root.ts';

/** Levels from the ground up; a folder may import lower levels and itself. */
const LEVELS: readonly (readonly string[])[] = [
  ['core'],
  ['input', 'openai', 'ledger', 'money', 'output', 'quality'],
  ['batch', 'live'],
  ['run'],
  ['cli'],
  ['api'],
  ['index.ts'],
];
const HOMES: Readonly<Record<string, string>> = {
  yaml: 'input',
  ajv: 'input',
  'csv-parse': 'input',
  liquidjs: 'input',
  openai: 'openai',
  'gpt-tokenizer': 'money',
  '@pydantic/genai-prices': 'money',
  'csv-stringify': 'output',
  commander: 'cli',
  pino: 'cli',
  'p-limit': 'live',
  bullmq: 'live',
  ioredis: 'live',
};
const MAX_LINES = 300;

const source = join(projectRoot, 'src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const folderOf = (file: string) => file.split('/')[0] as string;
const levelOf = (folder: string) => LEVELS.findIndex((level) => level.includes(folder));
const importsOf = (file: string) =>
  [...readFileSync(join(source, file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] as string);

test('a file imports its own folder and lower levels only', () => {
  for (const file of files) {
    for (const specifier of importsOf(file).filter((name) => name.startsWith('.'))) {
      const target = folderOf(relative(source, resolve(dirname(join(source, file)), specifier)));
      const from = folderOf(file);
      if (target === from) continue;
      const isAllowed = from === 'simulator' ? false : target === 'simulator' ? from === 'cli' : levelOf(target) < levelOf(from);
      assert.ok(isAllowed, `src/${file} imports ${specifier}`);
    }
  }
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
