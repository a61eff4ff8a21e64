import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeFolder } from './helpers/api-world.ts';
import { projectRoot } from './helpers/project-root.ts';
import { wideTest } from './helpers/wide.ts';

const page = readFileSync(join(projectRoot, 'docs', 'api.md'), 'utf8');
const readSource = (...path: string[]) => readFileSync(join(projectRoot, ...path), 'utf8');

/** Every name that a module exports by name, types included. */
function listExports(source: string): readonly string[] {
  const lists = [...source.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, names = '']) =>
    names.split(',').map((name) => name.split(' as ').at(-1) as string),
  );
  const declared = [...source.matchAll(/^export (?:async )?(?:function|interface|class|const|type) (\w+)/gm)].map(([, name = '']) => name);
  return [...lists.map((name) => name.replace(/\btype\b/, '').trim()), ...declared].filter((name) => name !== '');
}

test('the page of the API lists every export, and no other', () => {
  const table = page.slice(page.indexOf('## Exports'));
  const named = [...table.matchAll(/`(\w+)`/g)].map(([, name]) => name as string).filter((name) => name !== 'rowmill');
  const exported = [...listExports(readSource('src', 'index.ts')), ...listExports(readSource('src', 'simulator', 'start.ts'))];
  assert.deepEqual(named.toSorted(), exported.toSorted());
});

test('the program of the page is the one that is tested', () => {
  const program = readSource('test', 'helpers', 'api-example.ts').replace("'../../src/index.ts'", "'rowmill'");
  assert.ok(page.includes(`\`\`\`ts\n${program}\`\`\``));
});

wideTest('the program of the page runs without a key, skips what is empty, and says what is wrong with a table', (t) => {
  const program = fileURLToPath(new URL('./helpers/api-example.js', import.meta.url));
  const start = (table: string) => {
    const cwd = makeFolder(t, { 'tickets.csv': table });
    return spawnSync(process.execPath, [program], { cwd, env: { PATH: process.env.PATH, HOME: cwd }, encoding: 'utf8' });
  };
  const { status, stdout, stderr } = start('ticket_id,body\n1,Charged twice\n2,It crashes\n');
  assert.deepEqual([status, stderr.split('\n')[0]], [0, stderr.match(/^2 rows to ask, about \$0\.\d+$/m)?.[0]]);
  const shown = /^```text\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? '';
  const expression = shown.replaceAll(/[.$]/g, '\\$&').replaceAll('…', '\\d+');
  assert.match(`${stderr.split('\n')[0]}\n${stdout}`, new RegExp(`^${expression}$`));
  const wrong = start('ticket_id,text\n1,Charged twice\n');
  assert.deepEqual([wrong.status, wrong.stdout], [2, '']);
  assert.match(wrong.stderr, /^input\.columns: no column "body" in tickets\.csv\. Columns: ticket_id, text\n$/);
});
