import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createWorld } from './helpers/command-line.ts';
import { PROGRAM } from './helpers/program.ts';
import { projectRoot } from './helpers/project-root.ts';

const page = readFileSync(join(projectRoot, 'docs/first-table.md'), 'utf8');
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(([, text]) => text as string);

interface Typed {
  readonly command: string;
  readonly shown: readonly string[];
}

/** Each command of a block with the lines the page shows below it. */
function readTyped(block: string): readonly Typed[] {
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((text) => {
      const [command = '', ...shown] = text.split('\n').filter((line) => line !== '');
      return { command, shown };
    });
}

test('whoever types along "your first table" sees what the page shows', (t) => {
  const world = createWorld({ 'reviews.csv': blocks('csv')[0] ?? '' });
  t.after(() => world.dispose());
  // With a key the rows would go to the API.
  const typed = blocks('console').flatMap((block) => (block.includes('OPENAI_API_KEY') ? [] : readTyped(block)));
  assert.ok(typed.length >= 8, `${typed.length} commands`);
  for (const { command, shown } of typed) {
    const script = `rowmill() { "${process.execPath}" "${PROGRAM}" "$@"; }\n${command}`;
    const { status, stdout, stderr } = spawnSync('bash', ['-c', script], {
      cwd: world.folder,
      encoding: 'utf8',
      env: { PATH: process.env.PATH ?? '', HOME: world.folder },
    });
    const printed = `${stdout}\n${stderr}`.split('\n');
    assert.equal(status, 0, `${command}\n${stderr}`);
    for (const line of shown) assert.ok(printed.includes(line), `${command}\nshows no line "${line}":\n${stdout}\n${stderr}`);
  }
});
