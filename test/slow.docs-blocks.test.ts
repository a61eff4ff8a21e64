import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parseAllDocuments } from 'yaml';
import { defineCommands } from '../src/cli/define-commands.ts';
import { makeProgram } from '../src/cli/program.ts';
import { EXIT } from '../src/core/errors.ts';
import { CAUSES } from '../src/core/outcome.ts';
import { makeJobSchema } from '../src/input/job/job-schema.ts';
import { loadPrices, PRICES_FILE } from '../src/input/job/load-prices.ts';
import { KEY_COMMANDS, OTHER_COMMANDS } from '../src/live/redis/rights.ts';
import { readFaultPlan } from '../src/simulator/faults/fault-plan-reader.ts';
import { listPages, readBlocks, readCommands, readPage } from './helpers/docs-pages.ts';
import { findPackageAside, makeTemporaryFolder, sayMissing } from './helpers/package.ts';
import { projectRoot } from './helpers/project-root.ts';

const PAGES = listPages();
const blocksOf = (language: string) =>
  PAGES.flatMap((page) =>
    readBlocks(page)
      .filter((block) => block.language === language)
      .map((block) => ({ ...block, at: `${page}:${block.line}` })),
  );

test('every YAML block is a job, a part of one, or what its page says it is', async (t) => {
  // Most are a part of a job: what a job must have is not asked of them.
  const schema = { ...makeJobSchema(), required: [], if: undefined };
  const isPartOfJob = new Ajv2020({ strict: false, allErrors: true }).compile(schema);
  let jobs = 0;
  for (const { text, at } of blocksOf('yaml')) {
    for (const document of parseAllDocuments(text)) {
      assert.deepEqual(document.errors, [], at);
      const value: unknown = document.toJS();
      if (value === null) assert.match(text, /^# yaml-language-server: \$schema=\S+job\.schema\.json$/m, at);
      else if (text.startsWith('prices:')) {
        const folder = makeTemporaryFolder(t);
        writeFileSync(join(folder, PRICES_FILE), text);
        assert.equal((await loadPrices(folder, folder)).length, 2, at);
      } else if (text.startsWith('groups:')) assert.match(text, /expr: rowmill_/, at);
      else {
        assert.ok(isPartOfJob(value), `${at}: ${JSON.stringify(isPartOfJob.errors)}`);
        jobs += 1;
      }
    }
  }
  assert.ok(jobs >= 12, `${jobs} jobs`);
});

test('every JSON block can be read, and every fault plan among them is one', () => {
  let plans = 0;
  for (const { text, at } of blocksOf('json')) {
    const values = text.trimStart().startsWith('[')
      ? [JSON.parse(text) as unknown]
      : text
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as unknown);
    for (const value of values.filter(Array.isArray)) {
      assert.doesNotThrow(() => readFaultPlan(value), at);
      plans += 1;
    }
  }
  assert.ok(plans >= 2);
});

/** What comes before a block that is no program by itself. */
const BEFORE = `import { defineJob } from 'rowmill';
declare const job: ReturnType<typeof defineJob>;
declare function readTickets(): AsyncGenerator<{ id: number; body: string }>;
`;

const COMPILER_OPTIONS = {
  ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: true, outDir: 'out' },
  ...{ target: 'es2022', module: 'nodenext', moduleResolution: 'nodenext', types: ['node'], lib: ['es2023'] },
};

test('every TypeScript block compiles, and the examples of each kind of output and of schema libraries run', (t) => {
  const folder = makeTemporaryFolder(t);
  const libraries = findLibraries();
  const links = { ...libraries, rowmill: projectRoot, '@types/node': join(projectRoot, 'node_modules', '@types', 'node') };
  for (const [name, target] of Object.entries(links)) {
    mkdirSync(dirname(join(folder, 'node_modules', name)), { recursive: true });
    symlinkSync(target, join(folder, 'node_modules', name));
  }
  const blocks = blocksOf('ts').filter(({ text }) => libraries !== null || !text.includes("from 'zod'"));
  if (libraries === null) t.diagnostic(`the examples of schema libraries are left out: ${sayMissing('zod', '4')}`);
  for (const [place, { text, at }] of blocks.entries()) {
    const given = BEFORE.split('\n').filter((line) => !isGiven(text, line));
    writeFileSync(join(folder, `${place}.mts`), `${given.join('\n')}\n// ${at}\n${text}`);
  }
  const files = blocks.map((_, place) => `${place}.mts`);
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files }));
  const compiler = join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  const compiled = spawnSync(process.execPath, [compiler, '-p', '.'], { cwd: folder, encoding: 'utf8' });
  assert.deepEqual([compiled.status, compiled.stdout], [0, '']);

  const programs = blocks.flatMap(({ text, at }, place) => (text.includes('for (const job of [') ? [{ at, place }] : []));
  assert.equal(programs.length, libraries === null ? 1 : 2);
  for (const { at, place } of programs) {
    const env = { PATH: process.env.PATH, HOME: folder };
    const { status, stdout, stderr } = spawnSync(process.execPath, [`out/${place}.mjs`], { cwd: folder, env, encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, ''], at);
    assert.ok(stdout.split('\n').length > 3 && !stdout.includes('undefined'), `${at}: ${stdout}`);
  }
});

/** Where the libraries are that the page has examples of, by their names; null where they cannot be had. */
function findLibraries(): Readonly<Record<string, string>> | null {
  const zod = findPackageAside('zod', '4');
  const arktype = findPackageAside('arktype', '2');
  const ofValibot = findPackageAside('@valibot/to-json-schema', '1');
  if (zod === null || arktype === null || ofValibot === null) return null;
  return { zod, arktype, '@valibot/to-json-schema': ofValibot, valibot: join(ofValibot, '..', '..', 'valibot') };
}

/** Whether a block says itself what a line in front of it would say. */
function isGiven(text: string, line: string): boolean {
  const name = /(?:const|function|\{) (\w+)/.exec(line)?.[1];
  return name !== undefined && new RegExp(`(const|function|import \\{[^}]*) ?\\b${name}\\b`).test(text);
}

const commands = new Map(defineCommands(makeProgram()).commands.map((command) => [command.name(), command]));

test('every rowmill command on a page exists with its flags, even if a test cannot run it', () => {
  let checked = 0;
  for (const page of PAGES) {
    for (const { command, line } of readCommands(page)) {
      const bare = command.replaceAll(/'[^']*'|"[^"]*"/g, "''").replaceAll(/ # .*/g, '');
      assert.equal(spawnSync('bash', ['-n', '-c', command]).status, 0, `${page}:${line} is no shell`);
      for (const [, name = '', rest = ''] of bare.matchAll(/(?:^|[|;&] *|npx )rowmill ([a-z]+)([^|;&]*)/gm)) {
        for (const [flag] of rest.matchAll(/--[a-z-]+/g)) {
          const known = flag === '--help' || commands.get(name)?.options.some(({ long }) => long === flag);
          assert.ok(known === true, `${page}:${line}: rowmill ${name} ${flag}`);
          checked += 1;
        }
      }
    }
  }
  assert.ok(checked > 40, `${checked} flags`);
});

/** Flags of other programs. */
const FOREIGN =
  /^--(ignore-scripts|global|experimental|import|seed|port|collector|stop|cap|read|rm|insecure|only|check|every|hour|part|share|rows|small|write|enable-source-maps)/;

test('every flag, variable, file and exit code mentioned on a page exists', () => {
  const flags = new Set([...commands.values()].flatMap(({ options }) => options.map(({ long }) => long as string)));
  const sources = readSources('src');
  const folder = join(projectRoot, 'scripts');
  const scripts = readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
  const codes = new Set<number>(Object.values(EXIT));
  const counts = { flags: 0, variables: 0, files: 0, codes: 0 };
  for (const page of PAGES) {
    const text = readPage(page).replaceAll(/^```[\s\S]*?^```$/gm, '');
    for (const [, code = ''] of text.matchAll(/`([^`\n]+)`/g)) {
      for (const [flag] of code.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)) {
        assert.ok(flags.has(flag) || flag === '--help' || FOREIGN.test(flag) || scripts.includes(flag), `${page}: ${code} names ${flag}`);
        counts.flags += 1;
      }
      for (const [name] of code.matchAll(/\bROWMILL_[A-Z_]+/g)) {
        assert.ok(sources.includes(name), `${page}: ${name}`);
        counts.variables += 1;
      }
      const file = /^(?:src|test|bench|scripts|fixtures|jobs|docs)\/[\w@./-]+$/.exec(code)?.[0];
      if (file !== undefined) {
        assert.ok(existsSync(join(projectRoot, file)), `${page}: ${file}`);
        counts.files += 1;
      }
    }
    for (const [, code = ''] of text.matchAll(/\b[Ee]xit (?:code )?(\d+)\b/g)) {
      assert.ok(codes.has(Number(code)), `${page}: exit ${code}`);
      counts.codes += 1;
    }
  }
  for (const [what, count] of Object.entries(counts)) assert.ok(count > 10, `${count} ${what}`);
});

/** As GitHub names a heading. */
const nameHeading = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

test('every link to a heading finds one', () => {
  let checked = 0;
  for (const page of [...PAGES, 'CHANGELOG.md']) {
    for (const [, path = '', heading = ''] of readPage(page).matchAll(/\]\(((?!https?:)[^)#\s]*)#([^)\s]+)\)/g)) {
      const target = path === '' ? page : join(dirname(page), path);
      const headings = [...readPage(target).matchAll(/^#+ (.+)$/gm)].map(([, text = '']) => nameHeading(text));
      assert.ok(headings.includes(heading), `${page}: ${target} has no heading #${heading}`);
      checked += 1;
    }
  }
  assert.ok(checked > 50, `${checked} links`);
});

test('the causes in troubleshooting are those that rows can have', () => {
  const table = readPage('docs/troubleshooting.md').split('## Rows fail')[1]?.split('## ')[0] ?? '';
  const named = [...table.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  assert.ok(named.length >= 6);
  for (const name of named) assert.ok((CAUSES as readonly unknown[]).includes(name), String(name));
});

test('every field of an object that the interface lists is in the source', () => {
  const page = readPage('docs/interface.md');
  const table = page.slice(page.indexOf('| command | object | fields |'), page.indexOf('In a summary `rows.in'));
  const sources = readSources('src');
  let checked = 0;
  for (const [, row = ''] of table.matchAll(/^\| (?!command|---)(.*) \|$/gm)) {
    const [, object = '', fields = ''] = row.split(/ \| /);
    for (const [, schema = ''] of object.matchAll(/`([\w./]+)`/g))
      assert.ok(sources.includes(`'${schema}'`) || sources.includes(schema.replace('/1', '/')), schema);
    for (const [, names = ''] of fields.matchAll(/`([^`]+)`/g)) {
      for (const name of names.match(/[A-Za-z]\w*/g) ?? []) {
        assert.ok(new RegExp(`\\b${name}\\b`).test(sources), `${row}: ${name}`);
        checked += 1;
      }
    }
  }
  assert.ok(checked > 100, `${checked} fields`);
});

test('the rights that a page gives a Redis user are those that are tested', () => {
  const command = readCommands('docs/redis-protocol.md')[0]?.command ?? '';
  const given = [...command.matchAll(/\+([a-z|]+)/g)].map(([, name = '']) => name.toUpperCase());
  assert.deepEqual(given.toSorted(), [...KEY_COMMANDS, ...OTHER_COMMANDS].toSorted());
});

test('the files of the recipe for every night are valid for their programs', () => {
  const folder = join(projectRoot, 'docs', 'recipes', 'nightly');
  for (const name of readdirSync(folder)) {
    const text = readFileSync(join(folder, name), 'utf8');
    if (name.endsWith('.sh')) execFileSync('sh', ['-n', join(folder, name)]);
    if (/\.ya?ml$/.test(name)) for (const document of parseAllDocuments(text)) assert.deepEqual(document.errors, [], name);
    for (const [, command = '', rest = ''] of text.matchAll(/rowmill (run|clean|verify|status)\b([^\n&|>]*)/g)) {
      for (const [flag] of rest.matchAll(/--[a-z-]+/g))
        assert.ok(
          commands.get(command)?.options.some(({ long }) => long === flag),
          `${name}: rowmill ${command} ${flag}`,
        );
    }
  }
});

/** The text of all source files below a folder. */
function readSources(folder: string): string {
  const root = join(projectRoot, folder);
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  return names.map((name) => readFileSync(join(root, name), 'utf8')).join('\n');
}
