import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { describeGuesses, describeWriting } from '../src/cli/draft-file.ts';
import { loadDraft, makeDraft } from '../src/cli/table-job.ts';
import { findDraft } from '../src/input/draft/find-draft.ts';
import { describeGuessedHeader } from '../src/input/draft/guessed-header.ts';
import { isHeadless } from '../src/input/draft/headless.ts';
import { isColumnName } from '../src/input/draft/lone-header.ts';
import { loadJob } from '../src/input/job/load-job.ts';
import { startSimulator } from '../src/simulator/start.ts';
import { CANARY_KEY, createWorld } from './helpers/command-line.ts';
import { wideTest } from './helpers/wide.ts';

const TEXTS = ['It came late and the box was wet', 'Quiet, strong and easy to clean', 'I want my money back for this'];
const rows = (header: string, row: (text: string, index: number) => string) => `${[header, ...TEXTS.map(row)].join('\n')}\n`;

/** A table, and lines its job file must have; `no` are words it must not. */
interface Guess {
  readonly table: string;
  readonly has: readonly RegExp[];
  readonly no?: RegExp;
}

const GUESSES: Readonly<Record<string, Guess>> = {
  'a form with questions for columns': {
    table: rows(
      'Timestamp,What did you like most about your visit to us?,Rate us (0-10)',
      (text, index) => `2026/02/0${index + 1} 9:00:11 AM,"${text}",${index}`,
    ),
    has: [/user: \|\n {4}\{\{ row\["What did you like most about your visit to us\?"\] \}\}$/m],
    no: /column_1/,
  },
  'columns called by years': {
    table: rows('country,comment,2023,2024', (text, index) => `${['FR', 'DE', 'IT'][index]},"${text}",${index},${index * 2}`),
    has: [/\{\{ comment \}\}/],
    no: /column_1/,
  },
  'years in the first line of rows': {
    table: '1997,a ship that sinks in the end\n1999,a man learns what is real\n2001,a journey to the last star\n',
    has: [/columns: \[column_1, column_2\]/],
  },
  'an id whose name goes on': {
    table: rows('id_str,text', (text, index) => `98${index},"${text}"`),
    has: [/^ {2}id: id_str /m],
  },
  'a moment is no name': {
    table: rows('ts,message', (text, index) => `2026-11-01T10:00:0${index}.000Z,"${text}"`),
    has: [/# id: …/],
  },
  'quotes, braces, backslashes and line breaks in names': {
    table: rows('"it\'s ""so""","The {{ text }} %}","a\\b","one\ntwo"', (text) => Array(4).fill(`"${text}"`).join(',')),
    has: [
      /it's "so": \{\{ row\["it's \\"so\\""\] \}\}/,
      /The text %: \{\{ row\["The \{\{ text \}\} %\}"\] \}\}/,
      /one two: \{\{ row\["one\\u000atwo"\] \}\}/,
    ],
  },
  'a column without a name': {
    table: rows(' ,text', (text, index) => `${index},"${text}"`),
    has: [/\{\{ text \}\}/],
    no: /row\[" "\]/,
  },
};

for (const [what, { table, has, no }] of Object.entries(GUESSES)) {
  wideTest(`the job file of a table is what a person would have written: ${what}`, async (t) => {
    const world = createWorld({ 'table.csv': table });
    t.after(() => world.dispose());
    const ended = await world.run(['run', 'table.csv', '--prompt', 'How is it?', '--simulate', '--progress', 'none']);
    assert.equal(ended.exitCode, 0, ended.stderr);
    const text = readFileSync(join(world.folder, 'table.yaml'), 'utf8');
    for (const line of has) assert.match(text, line);
    if (no !== undefined) assert.doesNotMatch(text, no);
  });
}

wideTest('names that mean something to a shell, a glob or YAML are names, and each table has its own job', async (t) => {
  const names = [
    '-dash.csv',
    'what?.csv',
    'x[1].csv',
    'a: b.csv',
    'a#b.csv',
    'a b.csv',
    'a-b.csv',
    'A-B.csv',
    "it's.csv",
    '$HOME.csv',
    '日本.csv',
    'null.csv',
    'UPPER.CSV',
  ];
  const table = rows('id,text', (text, index) => `${index},"${text}"`);
  const world = createWorld(Object.fromEntries(names.map((name) => [name, table])));
  t.after(() => world.dispose());
  for (const name of names) {
    const { exitCode, stdout, stderr } = await world.run(['init', '--', name]);
    assert.equal(exitCode, 0, `${name}: ${stderr}`);
    assert.equal(stdout, `${name.replace(/\.csv$/i, '')}.yaml\n`);
    assert.doesNotMatch(stderr, /rowmill plan -/);
  }
  const jobs = readdirSync(world.folder).filter((name) => name.endsWith('.yaml'));
  const called = jobs.map((file) => /^name: (.*)$/m.exec(readFileSync(join(world.folder, file), 'utf8'))?.[1]?.toLowerCase());
  assert.equal(new Set(called).size, names.length, called.join(' '));
  const again = await world.run(['init', 'a b.csv', '--prompt', 'Is it?']);
  assert.match(again.stderr, /^a b\.yaml replaced: another prompt/m);
});

wideTest('a column whose values are among the answers is suggested for eval', async (t) => {
  const world = createWorld({
    'table.csv': `id,text,mood\n${Array.from({ length: 9 }, (_, index) => `${index},${TEXTS[index % 3]?.replaceAll(',', '')} ${index},${index % 2 === 0 ? 'good' : 'bad'}`).join('\n')}\n`,
  });
  t.after(() => world.dispose());
  const file = () => readFileSync(join(world.folder, 'table.yaml'), 'utf8');
  await world.run(['init', 'table.csv', '--prompt', 'How is it?', '--output', 'feeling: good | bad | mixed']);
  assert.match(file(), /^# mood may hold the correct answers: rowmill eval table\.yaml --gold mood$/m);
  await world.run(['init', 'table.csv', '--output', 'feeling: yes | no']);
  assert.match(file(), /^# Columns that look like labels: mood \(good, bad\)$/m);
  assert.doesNotMatch(file(), /--gold/);
});

/** Tables that are none, and the sentence. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  'blank.csv': /^blank\.csv: no column has a name or a cell$/m,
  'link.csv': /^link\.csv: is a link to nowhere\.csv, which does not exist$/m,
  '/dev/null': /^a table on standard input needs a job file: /m,
  '-dash.csv': /^error: unknown option '-dash\.csv'\n\(the file of this name is \.\/-dash\.csv\)$/m,
};

wideTest('files that are not tables, and arguments that match nothing, end with one sentence', async (t) => {
  const world = createWorld({ 'blank.csv': '  \n\n\n', '-dash.csv': 'a\nb\n' });
  t.after(() => world.dispose());
  symlinkSync('nowhere.csv', join(world.folder, 'link.csv'));
  for (const [name, says] of Object.entries(REFUSED)) {
    const ended = await world.run(['run', name, '--prompt', 'How is it?']);
    assert.equal(ended.exitCode, 2, name);
    assert.match(ended.stderr, says);
  }
  const long = await world.run(['x'.repeat(300)]);
  assert.deepEqual([long.exitCode, /^\s+at /m.test(long.stderr)], [2, false]);
  const missing = await world.run(['failures']);
  assert.match(missing.stderr, /\(a job file: rowmill failures job\.yaml\)/);
});

const IS_ROOT = process.getuid?.() === 0;

wideTest(
  'a table in a folder that cannot be written to is told with the command that works',
  { skip: IS_ROOT ? 'root may write everywhere' : false },
  async (t) => {
    const world = createWorld({});
    t.after(() => world.dispose());
    const closed = join(world.folder, 'closed');
    mkdirSync(closed);
    writeFileSync(
      join(closed, 'table.csv'),
      rows('id,text', (text, index) => `${index},"${text}"`),
    );
    chmodSync(closed, 0o555);
    t.after(() => chmodSync(closed, 0o755));
    for (const command of ['init', 'plan', 'run']) {
      const ended = await world.run([command, 'closed/table.csv', '--prompt', 'How is it?']);
      assert.equal(ended.exitCode, 2);
      assert.match(
        ended.stderr,
        new RegExp(`ln -s \\S+/closed/table\\.csv \\. && rowmill ${command} table\\.csv --prompt 'How is it\\?'$`, 'm'),
      );
    }
  },
);

wideTest(
  'a table whose first line is taken for a row costs nothing before somebody agrees: not at its first run, and not through its job file',
  async (t) => {
    const simulator = await startSimulator({});
    const world = createWorld({ 'films.csv': GUESSES['years in the first line of rows']?.table ?? '' });
    t.after(async () => {
      await simulator.close();
      world.dispose();
    });
    const key = { OPENAI_API_KEY: CANARY_KEY };
    const run = (...flags: string[]) => world.run(['run', ...flags, '--progress', 'none'], key);
    const address = ['--base-url', simulator.url];
    const question =
      /the first line of films\.csv looks like a row, so it is sent like one, and the columns are called column_1 to column_2; .*add --yes/;
    const drafted = await run('films.csv', '--prompt', 'Good?', ...address);
    assert.deepEqual([drafted.exitCode, existsSync(join(world.folder, 'films.yaml'))], [2, false]);
    assert.match(drafted.stderr, question);
    const simulated = await run('films.csv', '--prompt', 'Good?', '--simulate');
    assert.equal(simulated.exitCode, 0);
    assert.match(simulated.stderr, /films\.csv: has no header line; its first line is a row/);
    for (const named of ['films.csv', 'films.yaml']) {
      const { exitCode, stderr } = await run(named, ...address);
      assert.equal(exitCode, 2, named);
      assert.match(stderr, question);
    }
    assert.equal(simulator.bill().length, 0);
    assert.equal((await run('films.yaml', '--yes', ...address)).exitCode, 0);
    writeFileSync(join(world.folder, 'films.csv'), `${readFileSync(join(world.folder, 'films.csv'), 'utf8')}2004,a night at the pole\n`);
    assert.equal((await run('films.yaml', ...address)).exitCode, 0, 'agreed to once');
  },
);

wideTest('a header line given by hand is no guess', async (t) => {
  const world = createWorld({ 'films.csv': GUESSES['years in the first line of rows']?.table ?? '' });
  t.after(() => world.dispose());
  assert.equal((await world.run(['init', 'films.csv'])).exitCode, 0);
  const file = join(world.folder, 'films.yaml');
  const text = readFileSync(file, 'utf8');
  const describe = async (edited: string) => {
    writeFileSync(file, edited);
    return describeGuessedHeader((await loadJob(file, { cwd: world.folder })).job, { columns: ['column_1', 'column_2'] }, 'films.csv');
  };
  assert.match((await describe(text)) ?? '', /^the first line of films\.csv/);
  assert.equal(await describe(text.replace('[column_1, column_2]', '[column_1, plot]')), null);
  assert.equal(await describe(text.replace('mode: live', 'mode: batch')), null, 'edited, so somebody has looked at it');
});

test('the first line of a single column is a row if it ends like a sentence, and its name otherwise', () => {
  const isRow = (head: string) =>
    isHeadless({ format: 'csv', columns: [head], rows: [['It broke.'], ['Too loud']], form: { columns: null } });
  assert.deepEqual(['Works well.', 'Love it!', 'Never again…'].map(isRow), [true, true, true]);
  assert.deepEqual(['text', 'Review text', 'Art. Nr.', 'Comment.'].map(isRow), [false, false, false, false]);
});

test('an encoding that is guessed is said before anything is sent', async (t) => {
  const world = createWorld({ 'mails.csv': '' });
  t.after(() => world.dispose());
  const table = join(world.folder, 'mails.csv');
  const describe = async (text: Buffer) => {
    writeFileSync(table, text);
    const draft = await makeDraft(table, await findDraft(table, world.folder), {
      prompt: 'Who wrote {{ text }}?',
      output: 'text',
      labels: [],
      model: 'gpt-5-nano',
    });
    return [describeWriting('mails.yaml', draft), describeGuesses(draft).join('\n')];
  };
  const text = 'id,text\n1,größer\n2,kleiner\n';
  for (const told of await describe(Buffer.from(text, 'latin1')))
    assert.match(told, /the table is read as windows-1252, since it is not UTF-8/);
  for (const told of await describe(Buffer.from(text))) assert.doesNotMatch(told, /read as/);
});

test('a single column without a usual name says what was taken for its header, in the job and on the terminal, and asks before it pays', async (t) => {
  const world = createWorld({ 'fruit.csv': 'apple\nbanana\ncherry\n' });
  t.after(() => world.dispose());
  const asked = { prompt: 'Is it sweet?', output: 'text', labels: [], model: 'gpt-5-nano' } as const;
  const table = join(world.folder, 'fruit.csv');
  const found = await findDraft(table, world.folder);
  const draft = await makeDraft(table, found, asked);
  assert.match(
    draft.text,
    /^ {2}header: true +# a guess: the first line names the column; if it is a row: false, and \{\{ column_1 \}\} below$/m,
  );
  const told = /the first line, "apple", is taken for the name of the column and not sent; if it is a row, /;
  assert.match(describeWriting('fruit.yaml', draft), told);
  assert.match(describeGuesses(draft).join('\n'), told);
  const { job } = await loadDraft(draft, {});
  assert.match(describeGuessedHeader(job, { columns: ['apple'] }, 'fruit.csv') ?? '', told);
  const named = await makeDraft(table, found, { ...asked, prompt: 'Is {{ apple }} sweet?' });
  assert.doesNotMatch(named.text, /header/, 'the prompt has agreed to the name');
  const names = ['text', 'Review text', 'product_name', 'Kommentar', 'bodyHtml', '感想'];
  assert.deepEqual(
    [...names, 'apple', 'It came late', 'text from my boss'].filter((name) => !isColumnName(name)),
    ['apple', 'It came late', 'text from my boss'],
  );
});
