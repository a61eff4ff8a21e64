import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CANARY_KEY, createWorld, REVIEWS } from './helpers/command-line.ts';
import { wideTest } from './helpers/wide.ts';

const TABLE = REVIEWS.replace('5,\n', '');
const ASKED = ['reviews.csv', '--prompt', 'Is the customer content?', '--output', 'content: yes | no'];
const QUIET = ['--simulate', '--progress', 'none'];

interface Ran {
  readonly run: string;
  readonly rows: { readonly new: number; readonly reused: number; readonly in: number };
  readonly attempts: { readonly total: number };
}

function open(t: { after(hook: () => void): void }, files: Readonly<Record<string, string>> = { 'reviews.csv': TABLE }) {
  const world = createWorld(files);
  t.after(() => world.dispose());
  return {
    ...world,
    read: (name: string) => readFileSync(join(world.folder, name), 'utf8'),
    write: (name: string, text: string) => writeFileSync(join(world.folder, name), text),
    has: (name: string) => existsSync(join(world.folder, name)),
    list: () => readdirSync(world.folder).sort(),
  };
}

test('one command turns a table into answers; repeated, there is nothing to do; another prompt gives new answers, and the first one again costs nothing', async (t) => {
  const world = open(t);
  const first = await world.run(['run', ...ASKED, ...QUIET]);
  assert.equal(first.exitCode, 0, first.stderr);
  assert.match(first.stderr, /^Wrote reviews\.yaml: text from text, rows named by id, gpt-6-luna$/m);
  assert.match(world.read('reviews.out.csv').split('\n')[0] ?? '', /^id,text,content,_status/);
  const again = await world.run(['run', ...ASKED, ...QUIET]);
  assert.equal(again.exitCode, 0);
  assert.match(again.stderr, /^Nothing to do/m);
  assert.doesNotMatch(again.stderr, /reviews\.yaml/);

  const other = await world.json<Ran>(['run', 'reviews.csv', '--prompt', 'Which language is it?', ...QUIET]);
  assert.deepEqual([other.exitCode, other.rows.new], [0, 4]);
  assert.match(world.read('reviews.yaml'), /^ {2}content: yes \| no$/m, 'what no flag says stays');
  const back = await world.json<Ran>(['run', ...ASKED, ...QUIET]);
  assert.deepEqual([back.exitCode, back.rows.reused, back.attempts.total], [0, 4, 0]);
  const alone = await world.run(['run', 'reviews.csv', ...QUIET]);
  assert.match(alone.stderr, /^Nothing to do/m);
});

test('an edited file is never touched, and the suggested commands work; other line breaks are not an edit', async (t) => {
  const world = open(t);
  await world.run(['init', ...ASKED]);
  world.write('reviews.yaml', world.read('reviews.yaml').replaceAll('\n', '\r\n'));
  const replaced = await world.run(['init', 'reviews.csv', '--model', 'gpt-4o-mini']);
  assert.match(replaced.stderr, /^reviews\.yaml replaced: another model, the same output; nobody had edited it$/m);
  const edited = world.read('reviews.yaml').replace('Is the customer content?', 'Is she content?');
  world.write('reviews.yaml', edited);
  for (const command of ['run', 'plan', 'init']) {
    const refused = await world.run([command, 'reviews.csv', '--prompt', "What's it?"]);
    assert.equal(refused.exitCode, 2);
    assert.match(
      refused.stderr,
      /^reviews\.yaml was written or edited by hand and is left alone\. Use it as it is, or set it aside first:$/m,
    );
    const commands = [...refused.stderr.matchAll(/^ {2}(.*)$/gm)].map((match) => match[1]);
    const again = `rowmill ${command} reviews.csv --prompt 'What'\\''s it?'`;
    assert.deepEqual(commands, ['rowmill run reviews.yaml', `mv reviews.yaml reviews.yaml.old && ${again}`]);
    assert.equal(world.read('reviews.yaml'), edited);
  }
  assert.equal((await world.json<{ rows: { new: number } }>(['plan', 'reviews.csv'])).rows.new, 5 - 1);
});

test('plan says what a run of a table would do, writes nothing, and ends with the command that does it', async (t) => {
  const world = open(t);
  const planned = await world.run(['plan', ...ASKED]);
  assert.equal(planned.exitCode, 0, planned.stderr);
  assert.match(planned.stdout, /^To do it: rowmill run reviews\.csv --prompt 'Is the customer content\?' --output 'content: yes \| no'$/m);
  assert.deepEqual(world.list(), ['reviews.csv']);
});

wideTest('a refused run restores the file it replaced: other commands still show the last run', async (t) => {
  const world = open(t);
  const { run } = await world.json<Ran>(['run', ...ASKED, ...QUIET]);
  const before = world.read('reviews.yaml');
  const refused = await world.run(['run', 'reviews.csv', '--prompt', 'Which language is it?', '--yes']);
  assert.equal(refused.exitCode, 4);
  assert.match(refused.stderr, /no API key/);
  assert.equal(world.read('reviews.yaml'), before);
  const status = await world.json<{ run: { id: string }; rows: { ok: number; in: number } }>(['status', 'reviews.yaml']);
  assert.deepEqual([status.run.id, status.rows.ok], [run, status.rows.in]);
  assert.equal((await world.json<Ran>(['report', 'reviews.yaml'])).run, run);
  assert.equal((await world.json<Ran>(['sample', 'reviews.yaml'])).run, run);
});

wideTest('the job file is written when only sending is left to do; a refused run leaves none', async (t) => {
  const world = open(t);
  for (const [flags, says] of [
    [['--prompt', '{{ txt }}'], /^--prompt: no column "txt" in reviews\.csv\..*Did you mean "text"\?$/m],
    [['--prompt', 'x', '--output', 'a: strng'], /^--output a: unknown type "strng".*Did you mean "string"\?$/m],
    [['--prompt', 'x', '--out', 'reviews.csv'], /reviews\.csv/],
  ] as const) {
    const refused = await world.run(['run', 'reviews.csv', ...flags, '--simulate']);
    assert.deepEqual([refused.exitCode, world.list()], [2, ['reviews.csv']], refused.stderr);
    assert.match(refused.stderr, says);
  }
  const unpaid = await world.run(['run', ...ASKED]);
  assert.deepEqual([unpaid.exitCode, world.list()], [4, ['reviews.csv']]);
  assert.doesNotMatch(unpaid.stderr, /Wrote/);
  const unknown = await world.run(['run', ...ASKED, '--model', 'gpt-6-moon', ...QUIET]);
  assert.deepEqual([unknown.exitCode, world.has('reviews.yaml')], [4, false]);
  assert.match(unknown.stderr, /^Wrote reviews\.yaml.*\nreviews\.yaml was removed again, because the run was refused$/m);
  assert.doesNotMatch(unknown.stdout, /^next/m, 'the same command would be refused again');
});

wideTest(
  'tables with the same name in different formats have separate job files, and that of a glob is not among the files it matches',
  async (t) => {
    const world = open(t, {
      'reviews.csv': TABLE,
      'reviews.jsonl': '{"id": 1, "text": "It broke on the first day"}\n',
      'notes.yaml': 'some: other file\n',
      'notes.csv': TABLE,
    });
    for (const table of ['reviews.csv', 'reviews.jsonl', 'notes.csv', '*views.csv']) {
      const { exitCode, stderr } = await world.run(['run', table, '--prompt', 'Is it good?', ...QUIET]);
      assert.equal(exitCode, 0, `${table}: ${stderr}`);
    }
    assert.ok(
      world.has('reviews.jsonl.yaml') && world.has('reviews.jsonl.out.jsonl') && world.has('notes.csv.yaml'),
      world.list().join(' '),
    );
    assert.equal(world.read('notes.yaml'), 'some: other file\n');
  },
);

wideTest('the key is in none of the written files', async (t) => {
  const world = open(t);
  await world.run(['run', ...ASKED, ...QUIET], { OPENAI_API_KEY: CANARY_KEY });
  assert.ok(!world.read('reviews.yaml').includes(CANARY_KEY));
  appendFileSync(join(world.folder, 'reviews.csv'), '7,It squeaks\n');
  const more = await world.json<Ran>(['run', 'reviews.csv', ...QUIET]);
  assert.deepEqual([more.rows.new, more.rows.in], [1, 6]);
});
