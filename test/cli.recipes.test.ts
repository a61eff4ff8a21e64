import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Summary } from '../src/core/summary.ts';
import { createWorld } from './helpers/command-line.ts';
import { projectRoot } from './helpers/project-root.ts';
import { someOf } from './helpers/wide.ts';

type Row = Readonly<Record<string, unknown>>;

const world = createWorld({});
after(() => world.dispose());

const isText = (value: unknown) => typeof value === 'string' && value !== '';
const isTexts = (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === 'string');
const isBoolean = (value: unknown) => typeof value === 'boolean';
const orNull = (check: (value: unknown) => boolean) => (value: unknown) => value === null || check(value);
const isNumber = (value: unknown) => typeof value === 'number';
const isOneOf =
  (...choices: readonly string[]) =>
  (value: unknown) =>
    choices.includes(value as string);

interface Recipe {
  readonly page: string;
  /** Rows by how they end: ok, skipped. */
  readonly rows: readonly [number, number];
  /** What holds of each field of an answer. */
  readonly fields: Readonly<Record<string, (value: unknown) => boolean>>;
  /** In the lane of the job, else live, which is faster in a test. */
  readonly inItsLane?: true;
}

const RECIPES: Readonly<Record<string, Recipe>> = {
  'spam-filter': { page: 'spam-filter', rows: [12, 0], fields: { label: isOneOf('spam', 'ham'), reason: isText } },
  'grammar-correction': {
    page: 'grammar-correction',
    rows: [11, 1],
    fields: { corrected: isText, has_mistakes: isBoolean, changes: isTexts },
  },
  'reply-drafts': { page: 'reply-drafts', rows: [24, 0], fields: { reply: isText, needs_person: isBoolean, missing_facts: isTexts } },
  'invoice-fields': {
    page: 'field-extraction',
    rows: [7, 1],
    fields: {
      kind: isOneOf('invoice', 'reminder', 'receipt', 'other'),
      vendor: (value) => typeof value === 'object' && Object.keys(value ?? {}).join() === 'name,vat_id',
      number: orNull(isText),
      date: orNull(isText),
      currency: orNull(isText),
      total: orNull(isNumber),
      positions: (value) => Array.isArray(value) && value.every(({ text, amount }) => isText(text) && orNull(isNumber)(amount)),
    },
  },
  translation: { page: 'translation', rows: [11, 0], fields: { de: isText, fr: isText, ja: isText }, inItsLane: true },
  'image-captions': { page: 'image-captions', rows: [4, 1], fields: { caption: isText, alternative_text: isText, subjects: isTexts } },
  'ticket-embeddings': {
    page: 'embeddings',
    rows: [56, 0],
    fields: { answer: (value) => Array.isArray(value) && value.length === 256 && value.every(isNumber) },
  },
};

/** Jobs that the demo and other tests run. */
const RUN_ELSEWHERE: Readonly<Record<string, string>> = {
  'nightly-summaries': 'summarization',
  'ticket-labels': 'classification',
  'review-sentiment': 'sentiment',
};

const runArguments = (name: string) => [join(projectRoot, 'jobs', `${name}.yaml`), '--simulate', '--state-dir', 'states'];

for (const [name, { rows, fields, inItsLane }] of someOf(Object.entries(RECIPES), 2)) {
  test(`jobs/${name}.yaml runs unchanged`, async () => {
    const lane = inItsLane === true ? [] : ['--mode', 'live'];
    const summary = await world.json<Summary>(['run', ...runArguments(name), ...lane, '--out', `${name}.jsonl`]);
    assert.deepEqual([summary.exitCode, summary.rows.ok, summary.rows.skipped], [0, ...rows]);
    const table = readFileSync(join(world.folder, `${name}.jsonl`), 'utf8')
      .trimEnd()
      .split('\n');
    const answered = table.map((line) => JSON.parse(line) as Row).filter(({ _status }) => _status === 'ok');
    assert.equal(answered.length, rows[0]);
    for (const row of answered) {
      for (const [field, isRight] of Object.entries(fields)) assert.ok(isRight(row[field]), `${field}: ${JSON.stringify(row[field])}`);
    }
  });
}

test('eval compares with the gold column named by a recipe', async () => {
  const rows = readFileSync(join(world.folder, 'spam-filter.jsonl'), 'utf8').trimEnd().split('\n');
  const right = rows.map((line) => JSON.parse(line) as Row).filter(({ label, expected }) => label === expected).length;
  const { accuracy } = await world.json<{ accuracy: number }>(['eval', ...runArguments('spam-filter'), '--gold', 'expected']);
  assert.equal(accuracy, right / rows.length);
});

test('every job has a page about it', () => {
  const pages = { ...RUN_ELSEWHERE, ...Object.fromEntries(Object.entries(RECIPES).map(([name, { page }]) => [name, page])) };
  const jobs = readdirSync(join(projectRoot, 'jobs')).flatMap((file) => (file.endsWith('.yaml') ? [file.slice(0, -5)] : []));
  assert.deepEqual(jobs.toSorted(), Object.keys(pages).toSorted());
  for (const [name, page] of Object.entries(pages)) {
    const text = readFileSync(join(projectRoot, 'docs', 'recipes', `${page}.md`), 'utf8');
    assert.ok(text.includes(`](../../jobs/${name}.yaml)`), `docs/recipes/${page}.md does not link jobs/${name}.yaml`);
  }
});
