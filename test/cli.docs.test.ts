import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { defineCommands } from '../src/cli/define-commands.ts';
import { makeProgram } from '../src/cli/program.ts';
import { BARE_OPTIONS } from '../src/cli/render/find-commands.ts';
import { makeEditorSchema } from '../src/input/job/schema-examples.ts';
import { createWorld } from './helpers/command-line.ts';
import { projectRoot } from './helpers/project-root.ts';
import { wideTest } from './helpers/wide.ts';

const read = (name: string) => readFileSync(join(projectRoot, name), 'utf8');
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(join(projectRoot, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];
const commands = new Map(defineCommands(makeProgram()).commands.map((command) => [command.name(), command]));

/** As it is shown in a terminal of 80 columns. */
function showHelp(name: string | null): string {
  let text = '';
  const program = makeProgram();
  program.configureHelp({ ...program.configureHelp(), helpWidth: 80 });
  if (name !== null) defineCommands(program);
  const command = name === null ? program : program.commands.find((one) => one.name() === name);
  command?.configureHelp({ ...command.configureHelp(), helpWidth: 80 }).configureOutput({ writeOut: (part) => (text += part) });
  command?.outputHelp();
  return text;
}

describe('documentation', () => {
  it('quotes the help unchanged', () => {
    const page = read('docs/interface.md');
    assert.ok(page.includes(`$ rowmill --help\n${showHelp(null)}\`\`\``), 'docs/interface.md: rowmill --help has changed');
    assert.ok(page.includes(`$ rowmill run --help\n${showHelp('run')}\`\`\``), 'docs/interface.md: rowmill run --help has changed');
  });

  it('lists the options without a value where commands are found in sentences', () => {
    const all = [...commands.values()].flatMap(({ options }) => options);
    const bare = all.flatMap(({ long, required, optional }) => (required || optional || !long ? [] : [long.slice(2)]));
    assert.deepEqual([...new Set([...bare, 'help'])].sort(), BARE_OPTIONS);
  });

  it('names only commands and options that exist', () => {
    let checked = 0;
    for (const name of PAGES) {
      for (const [, command = '', rest = ''] of read(name).matchAll(/(?:npx |`|\$ )rowmill ([a-z]+)([^`\n|]*)/g)) {
        const known = commands.get(command);
        assert.ok(known !== undefined, `${name}: rowmill ${command}`);
        for (const [option] of rest.split('#')[0]?.matchAll(/--[a-z-]+/g) ?? []) {
          assert.ok(option === '--help' || known.options.some(({ long }) => long === option), `${name}: rowmill ${command} ${option}`);
          checked += 1;
        }
      }
    }
    assert.ok(checked > 5);
    const program = makeProgram();
    const shown = program
      .createHelp()
      .visibleCommands(program)
      .filter((command) => command.name() !== 'help');
    for (const name of shown.map((command) => command.name()))
      assert.ok(read('README.md').includes(`\`rowmill ${name}`), `README.md: rowmill ${name} is missing`);
  });

  it('names only npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const name of PAGES) {
      for (const [, script = ''] of read(name).matchAll(/npm run ([a-z:]+)/g)) assert.ok(script in scripts, `${name}: npm run ${script}`);
    }
  });

  it('links only to files that exist', () => {
    for (const name of PAGES) {
      for (const [, target = ''] of read(name).matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)) {
        assert.ok(existsSync(join(projectRoot, dirname(name), target)), `${name}: ${target}`);
      }
    }
  });

  it('names every package with its home', () => {
    const inside = [...read('dist/bundle/LICENCES.txt').matchAll(/^(\S+) \d+\.\d+\.\d+, /gm)].map(([, name]) => name as string);
    const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: Record<string, string> };
    const chosen = inside.filter((name) => name in devDependencies);
    assert.ok(chosen.includes('openai') && chosen.includes('commander'));
    for (const name of chosen) assert.ok(read('docs/architecture.md').includes(name), `docs/architecture.md: ${name}`);
  });

  wideTest('has a first job that runs, and so has init', async () => {
    const job = /```yaml\n(name: sentiment\n[\s\S]*?)```/.exec(read('README.md'))?.[1];
    assert.ok(job !== undefined);
    const world = createWorld({
      'sentiment.yaml': job,
      'reviews.csv': 'review_id,product,text\n1,kettle,Boils water\n2,lamp,Flickers\n',
      'table.csv': 'text\nHello\n',
    });
    try {
      const run = await world.json<{ rows: { ok: number } }>(['run', 'sentiment.yaml', '--simulate']);
      assert.deepEqual([run.exitCode, run.rows.ok], [0, 2]);
      assert.equal((await world.run(['init', 'tickets'])).exitCode, 0);
      assert.equal((await world.json<{ rows: { new: number } }>(['plan', 'tickets.yaml'])).rows.new, 1);
      assert.equal((await world.run(['init', 'tickets'])).exitCode, 2);
      assert.deepEqual(JSON.parse((await world.run(['schema'])).stdout), makeEditorSchema());
    } finally {
      world.dispose();
    }
  });
});
