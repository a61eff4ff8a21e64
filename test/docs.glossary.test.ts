import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from './helpers/project-root.ts';

const docs = join(projectRoot, 'docs');
const read = (name: string) => readFileSync(join(docs, name), 'utf8');
const pages = readdirSync(docs).filter((name) => name.endsWith('.md'));

/** The names in links like [`Job`](../src/core/job.ts), with the file they point to. Names of code hold a capital, and no dot as those of files do. */
function readNames(text: string): { readonly name: string; readonly file: string }[] {
  return [...text.matchAll(/\[(`[^\]]+`)\]\((\.\.\/src\/[^)#]+\.ts)\)/g)].flatMap(([, names = '', file = '']) =>
    [...names.matchAll(/`(\w*[A-Z]\w*)`/g)].map(([, name = '']) => ({ name, file })),
  );
}

function isExported(name: string, file: string): boolean {
  const path = join(docs, file);
  const declaration = new RegExp(`^export (?:async )?(?:abstract )?(?:type|interface|class|const|function\\*?) ${name}\\b`, 'm');
  return existsSync(path) && declaration.test(readFileSync(path, 'utf8'));
}

test('every word of the glossary occurs once, with a name from the code', () => {
  const rows = [...read('glossary.md').matchAll(/^\| (.+?) \| (.+?) \| (.+?) \|$/gm)].filter(([, word]) => word !== 'word');
  assert.ok(rows.length > 40);
  const words = rows.map(([, word]) => word);
  assert.deepEqual(
    words.filter((word, position) => words.indexOf(word) !== position),
    [],
  );
  assert.deepEqual(
    rows.filter(([, , type = '']) => readNames(type).length === 0).map(([, word]) => word),
    [],
  );
});

test('every name that a page links to is exported by that file', () => {
  const names = pages.flatMap((page) => readNames(read(page)).map((link) => ({ page, ...link })));
  assert.ok(names.length > 60);
  assert.deepEqual(
    names.filter(({ name, file }) => !isExported(name, file)).map(({ page, name, file }) => `${page}: ${name} in ${file}`),
    [],
  );
});
