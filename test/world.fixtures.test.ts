import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXIT } from '../src/core/errors.ts';
import { CAUSES } from '../src/core/outcome.ts';
import { projectRoot } from './helpers/project-root.ts';

const folder = join(projectRoot, 'fixtures', 'world');
const MIN_SHAPES = 75;
const MIN_SOURCES = 40;
const OWN = 'own variation';

type Shape = Readonly<Record<string, unknown>>;

/** What each kind carries beside the fields that all have; the second list may be missing. */
const FIELDS: Readonly<Record<string, readonly [always: readonly string[], maybe: readonly string[]]>> = {
  answer: [
    ['output', 'body'],
    ['labels', 'prompt'],
  ],
  line: [
    ['output', 'line'],
    ['labels', 'prompt', 'file'],
  ],
  call: [['status'], ['headers', 'body', 'text']],
  batch: [['body'], []],
  list: [['status'], ['headers', 'body', 'text']],
  download: [['status'], ['headers', 'body', 'text']],
};
const ALL = ['name', 'source', 'provider', 'kind', 'endpoint', 'want'];
const OUTCOMES: readonly unknown[] = ['ok', 'not ok', ...CAUSES];
const EXITS: readonly unknown[] = Object.values(EXIT);

/** What `want` may hold, and what makes each member well formed. */
const WANT: Readonly<Record<string, (value: unknown) => boolean>> = {
  outcome: (value) => OUTCOMES.includes(value),
  answer: (value) => value !== undefined,
  usage: isUsage,
  askedAgain: (value) => typeof value === 'boolean',
  run: (value) => value === 'stops' || value === 'goes on',
  exitCode: (value) => EXITS.includes(value),
  says: isText,
  note: isText,
};
const COUNTS = ['inputTokens', 'cachedInputTokens', 'outputTokens', 'reasoningTokens'];

const topics = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => ({
    name: name.replace('.json', ''),
    shapes: JSON.parse(readFileSync(join(folder, name), 'utf8')) as readonly Shape[],
  }));
const shapes = topics.flatMap((topic) => topic.shapes);
const sourcesOf = ({ source }: Shape) => String(source).split('; ');
const foreignSources = new Set(shapes.flatMap(sourcesOf).filter((source) => source !== OWN));

test('every shape has the fields of its kind and no others', () => {
  for (const shape of shapes) {
    const [always, maybe] = FIELDS[String(shape.kind)] ?? assert.fail(`${shape.name}: kind ${shape.kind}`);
    const missing = [...ALL, ...always].filter((field) => !(field in shape));
    const unknown = Object.keys(shape).filter((field) => ![...ALL, ...always, ...maybe].includes(field));
    assert.deepEqual({ missing, unknown }, { missing: [], unknown: [] }, String(shape.name));
    if (always.includes('status')) {
      assert.ok(Number.isInteger(shape.status), `${shape.name}: status`);
      assert.ok('body' in shape !== 'text' in shape, `${shape.name}: either a body or a text`);
    }
    assert.ok(String(shape.endpoint).startsWith('/'), `${shape.name}: endpoint`);
  }
});

test('the expectations of a shape are written in words that a test can check', () => {
  for (const { name, kind, want } of shapes) {
    assert.ok(typeof want === 'object' && want !== null, String(name));
    for (const [field, value] of Object.entries(want)) assert.ok(WANT[field]?.(value), `${name}: want.${field}`);
    const { outcome, answer, run, exitCode } = want as Shape;
    assert.equal(answer !== undefined, outcome === 'ok' && (kind === 'answer' || kind === 'line'), `${name}: an answer, where it is ok`);
    assert.ok(outcome !== undefined || run !== undefined, `${name}: an outcome, or what the run does`);
    if (kind === 'answer' || kind === 'line') assert.ok(outcome !== undefined, `${name}: an outcome`);
    if (exitCode !== undefined) assert.equal(run, 'stops', `${name}: an exit code, where the run stops`);
  }
});

test('every shape has a unique name', () => {
  const names = shapes.map(({ name }) => String(name));
  for (const name of names) assert.match(name, /^[a-z0-9]+(-[a-z0-9]+)*$/);
  assert.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  );
});

test('a source is a thread, a dated page, or ourselves', () => {
  for (const shape of shapes) {
    for (const source of sourcesOf(shape)) {
      const isThread = /^[\w.-]+\/[\w.-]+#\d+$/.test(source);
      assert.ok(source === OWN || isThread || /, seen 20\d\d-\d\d-\d\d$/.test(source), `${shape.name}: ${source}`);
    }
  }
});

test('there are enough shapes, from enough sources, and each line of an output file has a place for its key', () => {
  assert.ok(shapes.length >= MIN_SHAPES, `${shapes.length} shapes`);
  assert.ok(foreignSources.size >= MIN_SOURCES, `${foreignSources.size} sources`);
  for (const { name, line } of shapes.filter(({ kind }) => kind === 'line'))
    assert.match(JSON.stringify(line), /"custom_id":"@KEY@"/, String(name));
});

test('the counts in the folder’s README are those of its files', () => {
  const page = readFileSync(join(folder, 'README.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([\w-]+)\.json` \| (\d+) \|/gm)].map(([, name, count]) => [name, Number(count)]);
  assert.deepEqual(new Map(rows as [string, number][]), new Map(topics.map((topic) => [topic.name, topic.shapes.length])));
  assert.ok(page.includes(`${shapes.length} shapes from ${foreignSources.size} sources`), 'the totals');
});

function isUsage(value: unknown): boolean {
  if (value === null) return true;
  if (typeof value !== 'object') return false;
  const entries = Object.entries(value);
  return (
    'inputTokens' in value && 'outputTokens' in value && entries.every(([key, count]) => COUNTS.includes(key) && Number.isInteger(count))
  );
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
