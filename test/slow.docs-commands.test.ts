import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { listPages, readBlocks, readCommands } from './helpers/docs-pages.ts';
import { type DocsStage, type PageSetting, typePage } from './helpers/docs-stage.ts';

const firstTable = readBlocks('docs/first-table.md').find(({ language }) => language === 'csv')?.text ?? '';
const block = (page: string, beginning: string) => readBlocks(page).find(({ text }) => text.startsWith(beginning))?.text ?? '';
const rows = (count: number) => Array.from({ length: count }, (_, row) => `${row + 100},kettle,Review number ${row}\n`).join('');

/** What cannot be typed in a test, and why. Whatever matches none of them is typed. */
const ELSEWHERE: readonly (readonly [RegExp, string])[] = [
  [/^npm (ci|test|run [a-z:]+)\b/, 'runs the tests themselves, or compiles; test/cli.docs.test.ts knows that the scripts exist'],
  [/\bduckdb -c\b/, 'DuckDB is not installed'],
  [/\bpsql\b/, 'needs a PostgreSQL server'],
  [/\baws s3\b/, 'needs a bucket'],
  [/\bffmpeg\b/, 'ffmpeg is not installed'],
  [/^npx rowmill prove$/, 'takes a minute: test/slow.prove.test.ts'],
  [/^rowmill simulate\b/, 'stays: test/slow.seed-models.test.ts and others start it'],
  [/^redis-(cli|server)\b/, 'needs a Redis of its own: test/slow.redis-errors.test.ts'],
  [/^docker\b/, 'builds an image'],
  [
    /^rowmill worker --concurrency 16|^rowmill run jobs\/ticket-labels\.yaml --mode live$/,
    'two hosts and a Redis: test/slow.two-workers.test.ts',
  ],
  [/^rowmill --help$|^rowmill run --help$/, 'test/cli.docs.test.ts compares them'],
];

const SETTINGS: Readonly<Record<string, PageSetting>> = {
  'README.md': {
    files: { 'reviews.csv': firstTable, 'edited.yaml': block('README.md', 'name: sentiment') },
    before: { 'npx rowmill run sentiment.yaml --no-wait': ({ write }) => write('reviews.csv', firstTable + rows(600)) },
    exits: { 'npx rowmill run sentiment.yaml --no-wait': 7 },
  },
  'docs/first-table.md': { files: { 'reviews.csv': firstTable } },
  'docs/nights.md': {
    before: {
      'rowmill bill    ': async (stage) => {
        for (const job of ['ticket-labels', 'nightly-summaries']) await run(stage, `rowmill run jobs/${job}.yaml`);
      },
    },
    instead: { '/srv/jobs': '$FOLDER/jobs' },
  },
  'docs/providers.md': { instead: { '--base-url https://api.groq.com/openai/v1': '' } },
  'docs/upkeep.md': {
    before: {
      'rowmill clean': (stage) => run(stage, 'rowmill run jobs/review-sentiment.yaml'),
      'rowmill import': async (stage) => {
        const kept = join(stage.folder, 'jobs', '.rowmill');
        const [state = ''] = readdirSync(kept);
        const [batch = ''] = readdirSync(join(kept, state, 'responses')).flatMap((name) => name.match(/^batch_\w+/)?.[0] ?? []);
        stage.instead.set('batch_68f1…', batch);
        rmSync(kept, { recursive: true });
      },
      'rowmill verify': async (stage) => {
        await run(stage, 'rowmill run jobs/ticket-labels.yaml');
        await run(stage, 'rowmill run jobs/review-sentiment.yaml');
        const responses = join(stage.folder, 'jobs', '.rowmill', readdirSync(join(stage.folder, 'jobs', '.rowmill'))[0] ?? '', 'responses');
        for (const name of readdirSync(responses)) rmSync(join(responses, name));
      },
    },
    exits: { 'rowmill clean': 2, 'rowmill verify': 1 },
  },
  'docs/recipes/alerts.md': { files: { 'textfile/.keep': '' }, instead: { '/var/lib/node_exporter/': '' } },
  'docs/recipes/how-good-are-the-labels.md': {
    before: {
      'rowmill eval jobs/ticket-labels.yaml --gold expected': (stage) => run(stage, 'rowmill run jobs/ticket-labels.yaml'),
      'rowmill eval jobs/ticket-labels.yaml --gold out': ({ folder, write }) => {
        const sheet = readFileSync(join(folder, 'out/tickets.labeled.sample.csv'), 'utf8');
        write('out/tickets.labeled.sample.csv', sheet.replaceAll(/^(r\w+,\d+),/gm, '$1,billing'));
      },
      'rowmill diff': (stage) => run(stage, 'rowmill run jobs/ticket-labels.yaml --fresh --yes'),
    },
  },
  'docs/recipes/long-documents.md': {
    files: {
      'inbox/note.txt': 'The meeting is on Monday at ten.\n',
      'inbox/report.md': 'The turbine ran for another week without a fault, as planned. '.repeat(800),
      'parts.yaml': block('docs/recipes/long-documents.md', 'name: parts'),
      'documents.yaml': block('docs/recipes/long-documents.md', 'name: documents'),
    },
  },
  'docs/recipes/pipes.md': {
    before: { 'sqlite3 -header': (stage) => run(stage, `sqlite3 shop.db '.import --csv fixtures/tickets.csv tickets'`) },
  },
};

async function run(stage: DocsStage, command: string): Promise<void> {
  const { exitCode, stderr } = await stage.type(command);
  assert.equal(exitCode, 0, `${command}\n${stderr}`);
}

for (const page of listPages()) {
  const commands = readCommands(page);
  if (commands.length === 0) continue;
  test(`every command of ${page} does what the page shows`, async (t) => {
    const typed = await typePage(t, page, SETTINGS[page] ?? {}, (command) => ELSEWHERE.some(([what]) => what.test(command)));
    t.diagnostic(`${typed} of ${commands.length} typed`);
  });
}

test('every command exempted from typing is on a page', () => {
  const all = listPages().flatMap((page) => readCommands(page).map(({ command }) => command));
  assert.ok(all.length > 60, `${all.length} commands`);
  for (const [what, why] of ELSEWHERE)
    assert.ok(
      all.some((command) => what.test(command)),
      why,
    );
});
