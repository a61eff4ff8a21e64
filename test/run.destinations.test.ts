import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { canWriteIn, findDestinationProblem } from '../src/output/find-destination-problem.ts';
import { CANARY_KEY, createWorld, REVIEW_JOB, REVIEWS, type World } from './helpers/command-line.ts';
import { someOf, wideTest } from './helpers/wide.ts';

const KEY = { OPENAI_API_KEY: CANARY_KEY };
const IS_ROOT = process.getuid?.() === 0;

/** Every file below a folder, with its bytes; what is no file is named by what it is. */
function readTree(folder: string): readonly string[] {
  return fs
    .readdirSync(folder, { withFileTypes: true, recursive: true })
    .map((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      return `${file} ${entry.isFile() ? fs.readFileSync(file, 'latin1') : entry.isSymbolicLink() ? fs.readlinkSync(file) : 'no file'}`;
    })
    .sort();
}

function writeTo(world: World, target: string, more = ''): void {
  const job = REVIEW_JOB.replace('path: out.csv', `path: ${JSON.stringify(target)}`);
  fs.writeFileSync(path.join(world.folder, 'job.yaml'), job + more);
}

interface Case {
  readonly name: string;
  /** `write.path` of the job; null gives `flags` instead. */
  readonly target: string;
  readonly arrange?: (folder: string) => void;
  readonly more?: string;
  /** Both files, or the file and what is wrong with it. */
  readonly says: RegExp;
}

const link = (from: string, to: string) => (folder: string) => fs.symlinkSync(to, path.join(folder, from));
const hardLink = (from: string, to: string) => (folder: string) => fs.linkSync(path.join(folder, to), path.join(folder, from));
const folderOf = (name: string) => (folder: string) => fs.mkdirSync(path.join(folder, name), { recursive: true });
const file =
  (name: string, text = 'id,text\n1,mine\n') =>
  (folder: string) => {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  };
const all =
  (...steps: readonly ((folder: string) => void)[]) =>
  (folder: string) => {
    for (const step of steps) step(folder);
  };
const readsFrom = (glob: string) => (folder: string) => {
  const job = path.join(folder, 'job.yaml');
  fs.writeFileSync(job, fs.readFileSync(job, 'utf8').replace('path: reviews.csv', `path: ${JSON.stringify(glob)}`));
};
const examples = (text: string) => `examples: { ${text}, input: { text: text }, output: { sentiment: sentiment } }\n`;
const GOLD = 'text,sentiment\nfine,positive\nbad,negative\n';

const CASES: readonly Case[] = [
  {
    name: 'the table that is read',
    target: 'reviews.csv',
    says: /the table cannot be written to reviews\.csv: that is the table that is read, reviews\.csv/,
  },
  {
    name: 'the same by another spelling',
    target: './x/../reviews.csv',
    arrange: folderOf('x'),
    says: /that is the table that is read, reviews\.csv/,
  },
  {
    name: 'the same by a link',
    target: 'out.csv',
    arrange: link('out.csv', 'reviews.csv'),
    says: /table cannot be written to out\.csv: that is the table that is read, reviews\.csv/,
  },
  {
    name: 'the same by a chain of links',
    target: 'out.csv',
    arrange: all(link('out.csv', 'b'), link('b', './c/../reviews.csv'), folderOf('c')),
    says: /out\.csv: that is the table that is read, reviews\.csv/,
  },
  {
    name: 'the same through a linked folder',
    target: 'there/reviews.csv',
    arrange: link('there', '.'),
    says: /there\/reviews\.csv: that is the table that is read/,
  },
  {
    name: 'the same as a hard link',
    target: 'out.csv',
    arrange: hardLink('out.csv', 'reviews.csv'),
    says: /out\.csv: that is the table that is read, reviews\.csv/,
  },
  {
    name: 'a file of the glob that is read',
    target: 'in/b.csv',
    arrange: all(file('in/a.csv'), file('in/b.csv'), readsFrom('in/*.csv')),
    says: /in\/b\.csv: that is the table that is read, in\/b\.csv/,
  },
  {
    name: 'a linked file of the glob',
    target: 'b.csv',
    arrange: all(file('in/a.csv'), file('b.csv'), link('in/b.csv', '../b.csv'), readsFrom('in/*.csv')),
    says: /to b\.csv: that is the table that is read, in\/b\.csv/,
  },
  {
    name: 'a name that the glob would find next time',
    target: 'x.csv',
    arrange: readsFrom('*.csv'),
    says: /the table cannot be written to x\.csv: the next run would read it as a part of the table, \*\.csv/,
  },
  {
    name: 'failures that the glob would find in a folder below',
    target: 'in/new/x.jsonl',
    arrange: all(file('in/a.csv'), readsFrom('**/in/**/*.csv')),
    says: /failures cannot be written to in\/new\/x\.failures\.csv: the next run would read it/,
  },
  {
    name: 'the table by which it is continued',
    target: 'x.csv',
    arrange: all(file('x.partial.csv'), readsFrom('x.partial.csv')),
    says: /table of a run that has not ended cannot be written to x\.partial\.csv: that is the table that is read/,
  },
  {
    name: 'the failures of a pilot, which are read',
    target: 'x.csv',
    arrange: all(file('x.partial.failures.csv'), readsFrom('x.partial.failures.csv')),
    says: /failures of a part of the table cannot be written to x\.partial\.failures\.csv: that is the table that is read/,
  },
  {
    name: 'the failures of another run, which are read',
    target: 'x.csv',
    arrange: all(file('x.failures.csv'), readsFrom('x.failures.csv')),
    says: /table of failures cannot be written to x\.failures\.csv: that is the table that is read/,
  },
  {
    name: 'failures, by a link to the table that is read',
    target: 'x.csv',
    arrange: link('x.failures.csv', 'reviews.csv'),
    says: /x\.failures\.csv: that is the table that is read, reviews\.csv/,
  },
  {
    name: 'the report, by a link to the job file',
    target: 'x.csv',
    arrange: link('x.report.html', 'job.yaml'),
    says: /the report cannot be written to x\.report\.html: that is the job file, job\.yaml/,
  },
  {
    name: 'the report, by a link to the table',
    target: 'x.csv',
    arrange: link('x.report.html', 'x.csv'),
    says: /x\.report\.html: that is the table, x\.csv/,
  },
  {
    name: 'the report, by a link whose end is not there',
    target: 'x.csv',
    arrange: link('x.report.html', 'sub/../x.csv'),
    says: /x\.report\.html: that is the table, x\.csv/,
  },
  {
    name: 'failures and report by one file',
    target: 'x.csv',
    arrange: all(file('one'), hardLink('x.failures.csv', 'one'), hardLink('x.report.html', 'one')),
    says: /x\.report\.html: that is the table of failures, x\.failures\.csv/,
  },
  { name: 'the job file', target: 'job.yaml', says: /to job\.yaml: that is the job file, job\.yaml/ },
  {
    name: 'the table of examples',
    target: 'gold.csv',
    arrange: file('gold.csv', GOLD),
    more: examples('path: gold.csv'),
    says: /gold\.csv: that is the table of examples, gold\.csv/,
  },
  {
    name: 'examples held out over the table that is read, by a link',
    target: 'x.csv',
    arrange: all(file('gold.csv', GOLD), link('held.csv', 'reviews.csv')),
    more: examples('path: gold.csv, holdout: held.csv'),
    says: /held out cannot be written to held\.csv: that is the table that is read/,
  },
  {
    name: 'examples held out over the examples',
    target: 'x.csv',
    arrange: file('gold.csv', GOLD),
    more: examples('path: gold.csv, holdout: gold.csv'),
    says: /held out cannot be written to gold\.csv: that is the table of examples/,
  },
  {
    name: 'examples held out over the table',
    target: 'x.csv',
    arrange: file('gold.csv', GOLD),
    more: examples('path: gold.csv, holdout: x.csv'),
    says: /held out cannot be written to x\.csv: that is the table, x\.csv/,
  },
  {
    name: 'the list of prices',
    target: 'prices.yaml',
    arrange: file('prices.yaml', 'prices: []\n'),
    says: /prices\.yaml: that is the list of prices/,
  },
  { name: 'a list of prices that is not there yet', target: 'prices.yaml', says: /prices\.yaml: that is the list of prices/ },
  {
    name: 'the file with the key',
    target: '.env',
    arrange: file('.env', 'OPENAI_API_KEY=sk-mine\n'),
    says: /\.env: that is a file with keys/,
  },
  {
    name: 'an image that all rows show',
    target: 'logo.png',
    arrange: file('logo.png', 'png'),
    more: 'IMAGES',
    says: /logo\.png: that is an image of the prompt/,
  },
  { name: 'the state directory', target: '.rowmill/reviews/events.jsonl', says: /be in the state directory \.rowmill/ },
  { name: 'next to the states', target: '.rowmill/out.csv', says: /be in the state directory \.rowmill/ },
  {
    name: 'the state directory, by a link',
    target: 'x/events.jsonl',
    arrange: all(folderOf('.rowmill/reviews'), link('x', '.rowmill/reviews')),
    says: /be in the state directory \.rowmill/,
  },
  {
    name: 'the state of another job',
    target: 'states/other/out.csv',
    arrange: all(file('states/other/events.jsonl'), folderOf('states/other/responses')),
    says: /be in the state directory states\/other/,
  },
  { name: 'a workbook', target: 'out.xlsx', says: /to out\.xlsx: workbooks are not written; name it \.csv, which opens in one/ },
  { name: 'JSON', target: 'out.json', says: /to out\.json: .*name it \.jsonl/ },
  { name: 'a packed table', target: 'out.csv.gz', says: /to out\.csv\.gz: nothing is packed/ },
  { name: 'a page', target: 'out.html', says: /to out\.html: a table is written as \.csv, \.jsonl or \.parquet/ },
  { name: 'a folder', target: 'data', arrange: folderOf('data'), says: /the table cannot be written to data: it is a folder/ },
  {
    name: 'a folder in the place of the failures',
    target: 'x.csv',
    arrange: folderOf('x.failures.csv'),
    says: /x\.failures\.csv: it is a folder/,
  },
  { name: 'below a file', target: 'reviews.csv/out.csv', says: /reviews\.csv\/out\.csv: a part of its path is a file/ },
  { name: 'a device', target: '/dev/null', says: /to .*\/dev\/null: it is a device/ },
  { name: 'standard output by its path', target: '/dev/stdout', says: /\/dev\/stdout: it is a device/ },
  {
    name: 'a pipe',
    target: 'pipe',
    arrange: (folder) => void spawnSync('mkfifo', [path.join(folder, 'pipe')]),
    says: /to pipe: it is a device, a pipe/,
  },
  { name: 'links in a circle', target: 'x', arrange: all(link('x', 'y'), link('y', 'x')), says: /to x: its links lead in a circle/ },
  { name: 'a name that is too long', target: `${'n'.repeat(300)}.csv`, says: /its name is too long/ },
  {
    name: 'a name that becomes too long next to the table',
    target: `${'n'.repeat(245)}.csv`,
    says: /the table of a run that has not ended cannot .* its name is too long/,
  },
  // Permissions do not keep the superuser out; that nobody may write the file is told all the same.
  {
    name: 'a read-only file',
    target: 'kept.csv',
    arrange: all(file('kept.csv'), (folder) => fs.chmodSync(path.join(folder, 'kept.csv'), 0o444)),
    says: /kept\.csv: it already exists and is read-only/,
  },
  {
    name: 'a read-only report',
    target: 'x.csv',
    arrange: all(file('x.report.html'), (folder) => fs.chmodSync(path.join(folder, 'x.report.html'), 0o400)),
    says: /x\.report\.html: it already exists and is read-only/,
  },
];

test('outputs that would overwrite something, or cannot be written, are refused in one sentence before anything is done', async (t) => {
  for (const { name, target, arrange, more = '', says } of someOf(CASES, 8)) {
    await t.test(name, async (t) => {
      const world = createWorld({ 'reviews.csv': REVIEWS });
      t.after(() => world.dispose());
      const images = 'prompt: { user: "Which sentiment? {{ text }}", images: ["logo.png"] }';
      writeTo(world, target, more === 'IMAGES' ? '' : more);
      if (more === 'IMAGES') {
        const job = path.join(world.folder, 'job.yaml');
        fs.writeFileSync(job, fs.readFileSync(job, 'utf8').replace(/^prompt:.*$/m, images));
      }
      arrange?.(world.folder);
      const before = readTree(world.folder);
      for (const command of [
        ['plan', 'job.yaml'],
        ['run', 'job.yaml', '--simulate'],
        ['run', 'job.yaml', '--yes'],
      ]) {
        const { exitCode, stdout, stderr } = await world.run(command, KEY);
        assert.equal(exitCode, 2, `${command.join(' ')}: ${stderr}`);
        const [sentence = '', ...rest] = stderr.trimEnd().split('\n');
        assert.match(sentence, says);
        assert.match(sentence, /^job\.yaml:\d+:\d+ {2}write: /);
        assert.deepEqual([rest, stdout], [['Nothing was sent, nothing was spent.'], '']);
        assert.deepEqual(readTree(world.folder), before);
      }
    });
  }
});

test('a path from the command line is checked like that of the job file', async (t) => {
  const world = createWorld({ 'reviews.csv': REVIEWS, 'job.yaml': REVIEW_JOB, key: CANARY_KEY });
  t.after(() => world.dispose());
  fs.chmodSync(path.join(world.folder, 'key'), 0o600);
  const before = readTree(world.folder);
  for (const [flags, says] of [
    [['--out', 'reviews.csv'], /^write: the table cannot be written to reviews\.csv: that is the table that is read/],
    [['--input', 'job.yaml', '--out', 'x.csv'], /job\.yaml/],
    [['--out', 'key'], /^write: .*to key: that is a file with keys, key/],
    [['--state-dir', 'states', '--out', 'states/reviews@simulator/x.csv'], /be in the state directory states\/reviews@simulator/],
  ] as const) {
    const { exitCode, stderr } = await world.run(['run', 'job.yaml', '--simulate', ...flags], { OPENAI_API_KEY_FILE: 'key' });
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, says);
    assert.deepEqual(readTree(world.folder), before);
  }
});

test('a folder that this user cannot write to is refused', async (t) => {
  const world = createWorld({ 'reviews.csv': REVIEWS });
  t.after(() => world.dispose());
  const closed = path.join(world.folder, 'closed');
  fs.mkdirSync(closed, { mode: 0o755 });
  const destinations = [{ path: path.join(closed, 'deep', 'er', 'out.csv'), name: 'the table' }];
  const options = JSON.stringify({ destinations, sources: [], stateDirectory: path.join(world.folder, '.rowmill'), cwd: world.folder });
  if (IS_ROOT) {
    // The superuser may write anywhere: asked as another user, who may enter the folder and no more.
    const module = fileURLToPath(import.meta.resolve('../src/output/find-destination-problem.js'));
    const text = fs.readFileSync(module, 'utf8');
    fs.chmodSync(world.folder, 0o755);
    const script = `${text}\nconsole.log(findDestinationProblem({ ...${options}, adviseElsewhere: () => '; state ' + canWriteIn(${JSON.stringify(closed)}) }));`;
    const ended = spawnSync(process.execPath, ['--input-type=module', '-'], {
      input: script,
      uid: 65_534,
      gid: 65_534,
      cwd: '/',
      encoding: 'utf8',
    });
    assert.match(
      ended.stdout,
      /^the table cannot be written to closed\/deep\/er\/out\.csv: this user has no write access there; state false$/m,
      ended.stderr,
    );
    return;
  }
  fs.chmodSync(closed, 0o555);
  const problem = findDestinationProblem({ ...JSON.parse(options), adviseElsewhere: () => `; state ${canWriteIn(closed)}` });
  assert.match(problem ?? '', /this user has no write access there; state false$/);
});

test('on a case-insensitive system, names that differ only in case are one file', async (t) => {
  const world = createWorld({ 'in.csv': REVIEWS });
  t.after(() => world.dispose());
  const at = (name: string) => path.join(world.folder, name);
  const look = (foldsCase: boolean) =>
    findDestinationProblem({
      destinations: [{ path: at('IN.csv'), name: 'the table' }],
      sources: [{ path: at('in.csv'), name: 'the table that is read' }],
      stateDirectory: at('.rowmill'),
      cwd: world.folder,
      foldsCase,
    });
  assert.match((await look(true)) ?? '', /IN\.csv: that is the table that is read, in\.csv/);
  assert.equal(await look(false), null);
});

wideTest('allowed outputs are written: in new folders, through links that lead elsewhere, over files of the previous run', async (t) => {
  const members: readonly [string, string, ((folder: string) => void)?][] = [
    ['a folder that is not there yet', 'new/er/out.csv'],
    ['a link to a file of nobody', 'out.csv', all(file('elsewhere.csv'), link('out.csv', 'elsewhere.csv'))],
    ['a link whose end is not there', 'out.csv', link('out.csv', 'elsewhere.csv')],
    [
      'a table beside one that is called events.jsonl',
      'out.csv',
      all(file('events.jsonl', '{"id":"1","text":"x"}\n'), readsFrom('events.jsonl')),
    ],
    ['a name with a letter of two bytes', 'ausgäbe.csv'],
  ];
  for (const [name, target, arrange] of someOf(members, 3)) {
    const world = createWorld({ 'reviews.csv': REVIEWS });
    t.after(() => world.dispose());
    writeTo(world, target);
    arrange?.(world.folder);
    for (const times of [1, 2]) {
      const { exitCode, stderr } = await world.run(['run', 'job.yaml', '--simulate', ...(times === 2 ? ['--fresh'] : [])]);
      assert.equal(exitCode, 0, `${name}: ${stderr}`);
    }
    assert.match(fs.readFileSync(path.join(world.folder, target), 'utf8'), /_status/);
  }
});

test('a run over the held-out examples is allowed, and leaves them unchanged', async (t) => {
  const gold = `id,text,sentiment\n${Array.from({ length: 9 }, (_, n) => `${n},text ${n},${n % 2 === 0 ? 'positive' : 'negative'}`).join('\n')}\n`;
  // The held-out rows have the delimiter of the job's table, which is not one that is detected.
  const job = `${REVIEW_JOB.replace('path: out.csv', 'path: out.csv, prefix: llm_').replace('id: id', "id: id, delimiter: '|'")}examples: { path: gold.csv, count: 2, holdout: held.csv }\n`;
  const world = createWorld({ 'reviews.csv': REVIEWS.replaceAll(/^([^,]*),/gm, '$1|'), 'gold.csv': gold, 'job.yaml': job });
  t.after(() => world.dispose());
  assert.equal((await world.run(['run', 'job.yaml', '--simulate'])).exitCode, 0);
  const held = fs.readFileSync(path.join(world.folder, 'held.csv'), 'utf8');
  assert.match(held, /^id\|text\|sentiment\n/);
  const { exitCode, stderr } = await world.run(['run', 'job.yaml', '--simulate', '--input', 'held.csv', '--out', 'held.out.csv']);
  assert.equal(exitCode, 0, stderr);
  assert.equal(fs.readFileSync(path.join(world.folder, 'held.csv'), 'utf8'), held);
  const judged = await world.json(['eval', 'job.yaml', '--gold', 'held.csv', '--simulate']);
  assert.equal(judged.exitCode, 0, JSON.stringify(judged));
});

wideTest('read-only commands overwrite nothing that is read, and nothing that a run has made', async (t) => {
  const world = createWorld({ 'reviews.csv': REVIEWS, 'job.yaml': REVIEW_JOB, 'gold.csv': 'id,sentiment\n1,positive\n2,negative\n' });
  t.after(() => world.dispose());
  const { run: first } = await world.json<{ run: string }>(['run', 'job.yaml', '--simulate']);
  const { run: second } = await world.json<{ run: string }>(['run', 'job.yaml', '--simulate', '--fresh']);
  fs.symlinkSync('reviews.csv', path.join(world.folder, 'out.sample.csv'));
  const before = readTree(world.folder);
  const diff = ['diff', 'job.yaml', first, second];
  const refusals: readonly [readonly string[], RegExp][] = [
    [
      ['failures', 'job.yaml', '--csv', 'reviews.csv'],
      /table of failures cannot be written to reviews\.csv: that is the table that is read/,
    ],
    [['failures', 'job.yaml', '--csv', 'out.csv'], /to out\.csv: that is the table, out\.csv/],
    [['failures', 'job.yaml', '--csv', 'job.yaml'], /to job\.yaml: that is the job file/],
    [['failures', 'job.yaml', '--csv', '.rowmill/x.csv'], /state directory/],
    [['failures', 'job.yaml', '--csv', '/dev/null'], /device/],
    [['report', 'job.yaml', '--html', 'out.csv'], /the report cannot be written to out\.csv: that is the table, out\.csv/],
    [['report', 'job.yaml', '--html', 'gold.csv', '--gold', 'gold.csv'], /to gold\.csv: that is the right answers, gold\.csv/],
    [['report', 'job.yaml', '--html', '.'], /folder/],
    [['sample', 'job.yaml'], /the sheet cannot be written to out\.sample\.csv: that is the table that is read, reviews\.csv/],
    [[...diff, '--csv', 'reviews.csv'], /the table of changes cannot be written to reviews\.csv/],
    [[...diff, '--csv', 'gold.csv', '--gold', 'gold.csv'], /to gold\.csv: that is the right answers/],
    [[...diff, '--html', 'out.csv'], /the report cannot be written to out\.csv/],
    [[...diff, '--csv', 'x', '--html', './x'], /to x: that is the table of changes, x/],
    [[...diff, '--csv', 'new.csv', '--html', 'job.yaml'], /to job\.yaml: that is the job file/],
  ];
  for (const [command, says] of refusals) {
    const { exitCode, stderr } = await world.run(command);
    assert.equal(exitCode, 2, `${command.join(' ')}: ${stderr}`);
    assert.match(stderr, says);
    assert.deepEqual(readTree(world.folder), before, command.join(' '));
  }
  for (const command of [
    ['failures', 'job.yaml', '--csv', 'out.failures.csv'],
    ['report', 'job.yaml', '--html', 'out.report.html'],
    [...diff, '--csv', 'changes.csv', '--html', 'out.report.html'],
  ]) {
    const { exitCode, stderr } = await world.run(command);
    assert.equal(exitCode, 0, stderr);
  }
});

wideTest("replacing another job's table causes a warning beforehand, as long as that job exists and its table is unchanged", async () => {
  const world = createWorld({ 'reviews.csv': REVIEWS, 'job.yaml': REVIEW_JOB });
  const other = path.join(world.folder, 'other.yaml');
  const warning = /out\.csv is the table of the job (\w+) \((\w+\.yaml)\), and this run will replace it/;
  const runJob = async (file: string) => {
    const { exitCode, stderr } = await world.run(['run', file, '--simulate', '--progress', 'none']);
    return [exitCode, ...(warning.exec(stderr)?.slice(1) ?? [])];
  };
  try {
    const [exitCode, ...none] = await runJob('job.yaml');
    assert.deepEqual(none, []);
    fs.writeFileSync(other, REVIEW_JOB.replace('name: reviews', 'name: others').replace('Which', 'What'));
    const planned = await world.run(['plan', 'other.yaml', '--simulate']);
    assert.match(planned.stdout, warning);
    assert.equal(planned.exitCode, 0, 'it sends and writes nothing');
    assert.deepEqual(await runJob('other.yaml'), [exitCode, 'reviews', 'job.yaml']);
    assert.deepEqual(await runJob('other.yaml'), [exitCode], 'its own table now');
    assert.deepEqual(await runJob('job.yaml'), [exitCode, 'others', 'other.yaml']);
    fs.rmSync(other);
    assert.deepEqual(await runJob('job.yaml'), [exitCode], 'a job that is gone has no claim');
  } finally {
    world.dispose();
  }
});
