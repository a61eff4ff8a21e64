import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { UsageError } from '../src/core/errors.ts';
import { makeJobSchema } from '../src/input/job/job-schema.ts';
import { loadJob } from '../src/input/job/load-job.ts';
import { makeJob } from '../src/input/job/make-job.ts';
import { makeEditorSchema } from '../src/input/job/schema-examples.ts';
import { projectRoot } from './helpers/project-root.ts';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
after(() => fs.rmSync(directory, { recursive: true }));
fs.writeFileSync(path.join(directory, 'tickets.csv'), 'ticket_id,text,lang\n1,Works,en\n');

const BASE = 'name: j\ninput: { path: tickets.csv }\nmodel: gpt-4o-mini\noutput: text\nprompt: "{{ text }}"\n';

function load(text: string, overrides: object = {}) {
  fs.writeFileSync(path.join(directory, 'job.yaml'), text);
  return loadJob('job.yaml', { cwd: directory, ...overrides });
}

async function refusal(text: string, overrides: object = {}): Promise<string> {
  const error: unknown = await load(text, overrides).then(
    () => assert.fail('the job was accepted'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof UsageError, String(error));
  return error.message;
}

for (const name of ['nightly-summaries', 'ticket-labels', 'review-sentiment']) {
  test(`jobs/${name}.yaml is a job without problems`, async () => {
    const { job } = await loadJob(`jobs/${name}.yaml`, { cwd: projectRoot });
    assert.equal(job.name, name);
    assert.equal(job.directory, path.join(projectRoot, 'jobs'));
    assert.ok(fs.existsSync(job.input.path));
  });
}

test('a job keeps what the file says and fills in the defaults', async () => {
  const { job } = await load(BASE);
  assert.deepEqual(
    { ...job, text: '', file: '', directory: '' },
    {
      name: 'j',
      description: null,
      file: '',
      directory: '',
      text: '',
      input: { path: path.join(directory, 'tickets.csv'), format: null, delimiter: null, encoding: null, columns: null, id: [] },
      model: 'gpt-4o-mini',
      endpoint: '/v1/chat/completions',
      mode: 'batch',
      messages: [{ role: 'user', content: '{{ text }}' }],
      output: { type: 'text' },
      labels: [],
      examples: null,
      votes: 1,
      confidence: null,
      params: {},
      limits: { requestsPerMinute: null, tokensPerMinute: null, concurrency: null, enqueuedTokens: null },
      budget: { nanoUsd: null, nanoUsdPerRow: null, nanoUsdPerMonth: null, nanoUsdTotal: null },
      confirmOverNanoUsd: 1_000_000_000,
      retry: { attempts: 3 },
      onUnknown: 'retry',
      dedupe: true,
      write: { path: path.join(directory, 'j.out.csv'), keep: 'all', prefix: '', excel: false },
      stopIf: [],
      pilot: null,
      notify: null,
      failIf: { failedRows: { type: 'count', over: 0 }, skippedRows: { type: 'count', over: 0 } },
    },
  );
  assert.equal(job.text, BASE);
});

test('money is exact to the nano-dollar, limits of failure are counts or shares', async () => {
  const { job } = await load(
    `${BASE}budget: { usd: 2.00, usd_per_row: 0.000000001, usd_per_month: 60, usd_total: 500.5 }\nconfirm_over: 12.345678901\nfail_if: { failed_rows: "> 1%", skipped_rows: 5 }\n`,
  );
  assert.deepEqual(job.budget, {
    nanoUsd: 2_000_000_000,
    nanoUsdPerRow: 1,
    nanoUsdPerMonth: 60_000_000_000,
    nanoUsdTotal: 500_500_000_000,
  });
  assert.equal(job.confirmOverNanoUsd, 12_345_678_901);
  assert.deepEqual(job.failIf, { failedRows: { type: 'share', over: 0.01 }, skippedRows: { type: 'count', over: 5 } });
});

test('paths in the file are relative to the file, paths in flags to the working directory', async () => {
  fs.mkdirSync(path.join(directory, 'sub'), { recursive: true });
  fs.writeFileSync(path.join(directory, 'sub', 'job.yaml'), BASE);
  const plain = await loadJob('sub/job.yaml', { cwd: directory });
  assert.equal(plain.job.input.path, path.join(directory, 'sub', 'tickets.csv'));
  const flagged = await loadJob('sub/job.yaml', { cwd: directory, input: 'other.jsonl', out: 'x.csv', mode: 'live', params: { seed: 7 } });
  assert.equal(flagged.job.input.path, path.join(directory, 'other.jsonl'));
  assert.equal(flagged.job.write.path, path.join(directory, 'x.csv'));
  assert.equal(flagged.job.mode, 'live');
  assert.deepEqual(flagged.job.params, { seed: 7 });
  assert.equal((await loadJob('sub/job.yaml', { cwd: directory, input: '-' })).job.input.path, '-');
});

test('all problems of job and table are reported together, each with its place and a suggestion', async () => {
  const text =
    'name: bad\ninput: { path: tickets.csv }\nmodel: gpt-4o-mini\nprompt:\n  user: "{{txt}}"\noutput: text\nlimits:\n  rpm: 5\n  concurency: 3\n';
  assert.equal(
    await refusal(text),
    [
      'job.yaml:9:3  limits.concurency: unknown key. Did you mean "concurrency"?',
      'job.yaml:5:12  prompt.user: no column "txt" in tickets.csv. Columns: ticket_id, text, lang. Did you mean "text"?',
    ].join('\n'),
  );
});

const REFUSED: readonly [title: string, text: string, message: RegExp][] = [
  ['an unknown key at the root', `${BASE}promt: x\n`, /^job\.yaml:6:1 {2}promt: unknown key\. Did you mean "prompt"\?$/],
  ['a missing key', BASE.replace('model: gpt-4o-mini\n', ''), /^job\.yaml:1:1 {2}model: missing$/],
  ['a wrong type', BASE.replace('output: text', 'output: 5'), /^job\.yaml:4:1 {2}output: must be text or a map, not 5/],
  [
    'an unknown mode',
    `${BASE}mode: bach\n`,
    /^job\.yaml:6:1 {2}mode: must be batch, live, flex, auto, not "bach"\. Did you mean "batch"\?$/,
  ],
  ['a number out of range', `${BASE}params:\n  temperature: 3\n`, /^job\.yaml:7:3 {2}params\.temperature: must be 2 or less, not 3$/],
  [
    'a parameter of another name',
    `${BASE}params: { max_tokens: 5 }\n`,
    /^job\.yaml:6:11 {2}params\.max_tokens: unknown key\. Did you mean "max_output_tokens"\?$/,
  ],
  ['a name that is a path', BASE.replace('name: j', 'name: ../x'), /^job\.yaml:1:1 {2}name: "\.\.\/x" is not allowed here/],
  ['a base URL', `${BASE}base_url: https://example.com\n`, /^job\.yaml:6:1 {2}base_url: unknown key$/],
  ['a key twice', `${BASE}model: o3\n`, /^job\.yaml:6:1 {2}this key occurs twice$/],
  ['a tag', `${BASE}description: !!js/function "x"\n`, /^job\.yaml:6:14 {2}tags are not allowed in a job file$/],
  ['broken YAML', 'name: [1\n', /^job\.yaml:\d+:\d+ {2}not valid YAML/],
  [
    'braces without quotes',
    'name: x\nprompt: {{ text }}\n',
    /^job\.yaml:2:9 {2}this text needs single quotes .*: prompt: '\{\{ text \}\}'$/,
  ],
  ['braces before other text', 'prompt: {{ text }} good?\n', /^job\.yaml:1:9 {2}this text .*: prompt: '\{\{ text \}\} good\?'$/],
  [
    'braces without quotes in a map',
    'prompt: { user: {{ text }} }\n',
    /^job\.yaml:1:18 {2}a text in braces needs quotes: '\{\{ text \}\}'$/,
  ],
  ['a colon in a text', 'prompt:\n  user: Topic: {{ text }}\n', /^job\.yaml:2:9 {2}this text .*: user: 'Topic: \{\{ text \}\}'$/],
  ['a quote within quotes', 'prompt: "Is {{ row["X"] }}"\n', /^job\.yaml:1:9 {2}this text .*: prompt: 'Is \{\{ row\["X"\] \}\}'$/],
  ['an apostrophe within quotes', "prompt: 'it's {{ text }}'\n", /^job\.yaml:1:9 {2}this text .*: prompt: 'it''s \{\{ text \}\}'$/],
  ['a tab', 'prompt:\n\tuser: x\n', /^job\.yaml:2:1 {2}indent with spaces, not with tabs: " {2}user: x"$/],
  ['no map', '- 1\n', /^job\.yaml:1:1 {2}the job: must be a map, not a list$/],
  ['nothing', '', /^job\.yaml:1:1 {2}the job: must be a map, not empty$/],
  ['prompt and messages', `${BASE}messages: [{ role: user, content: x }]\n`, /^job\.yaml:6:1 {2}messages: cannot be combined with prompt/],
  ['neither prompt nor messages', BASE.replace('prompt: "{{ text }}"\n', ''), /^job\.yaml:1:1 {2}prompt: missing$/],
  ['a threshold in words', `${BASE}fail_if: { failed_rows: some }\n`, /fail_if\.failed_rows: must be like "> 1%" or "> 5", not "some"$/],
  ['no amount of money, told once', `${BASE}budget: { usd_total: .nan }\n`, /^[^\n]*budget\.usd_total: must be a number, not NaN$/],
  ['a fraction of a nano-dollar', `${BASE}budget: { usd: 0.0000000001 }\n`, /budget\.usd: must be dollars with at most nine decimals/],
  [
    'a template Liquid refuses',
    `${BASE.replace('"{{ text }}"', '"Hi {{ text | shout }}"')}x: 1\n`,
    /job\.yaml:5:13 {2}prompt: undefined filter: shout/,
  ],
  [
    'label without labels',
    BASE.replace('output: text', 'output: { kind: label }'),
    /^job\.yaml:4:11 {2}output\.kind: label needs the key labels in the job$/,
  ],
];

for (const [title, text, message] of REFUSED) {
  test(`a job file is refused with the place: ${title}`, async () => {
    assert.match(await refusal(text), message);
  });
}

test('a YAML alias bomb is refused at once', async () => {
  const lines = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
  for (const [index, letter] of [...'bcdefgh'].entries()) {
    const before = 'abcdefgh'[index];
    lines.push(`${letter}: &${letter} [${Array(10).fill(`*${before}`).join(',')}]`);
  }
  assert.match(await refusal(lines.join('\n')), /not usable YAML: Excessive alias count/);
});

test('a job file of more than a megabyte, a directory and a missing file are refused', async () => {
  assert.match(await refusal(`# ${'x'.repeat(1024 * 1024)}\n`), /job\.yaml: larger than 1 MB/);
  await assert.rejects(loadJob('.', { cwd: directory }), /is a directory, not a job file/);
  await assert.rejects(loadJob('none.yaml', { cwd: directory }), /^UsageError: none\.yaml: no such job file; its folder has job\.yaml$/);
});

test('keys named after the prototype are unknown keys and pollute nothing', async () => {
  const message = await refusal(`${BASE}__proto__: { polluted: 1 }\nconstructor: 1\n`);
  assert.match(message, /job\.yaml:6:1 {2}__proto__: unknown key/);
  assert.match(message, /job\.yaml:7:1 {2}constructor: unknown key/);
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});

test('makeJob checks a plain object the same way, without places', () => {
  const spec = { name: 'j', input: { path: 't.csv', id: ['a'] }, model: 'm', output: 'text', prompt: '{{ a }}' };
  const job = makeJob(spec, { directory: '/data' });
  assert.equal(job.input.path, path.resolve('/data/t.csv'));
  assert.equal(job.file, null);
  assert.deepEqual(JSON.parse(job.text), spec);
  assert.throws(
    () => makeJob({ ...spec, dedup: true }, { directory: '/data' }),
    /^UsageError: dedup: unknown key\. Did you mean "dedupe"\?$/,
  );
});

test("the schema of job files is valid in its dialect, and passes ajv's strict mode", () => {
  const ajv = new Ajv2020({ strict: true });
  assert.equal(ajv.validateSchema(makeEditorSchema()), true);
  ajv.compile(makeEditorSchema());
});

test('the schema for editors accepts the same values as the one that checks jobs, whatever their type', () => {
  const ajv = new Ajv2020({ strict: false });
  const [isComplete, isChecked] = [ajv.compile(makeEditorSchema()), ajv.compile(makeJobSchema())];
  const base = { name: 'a', model: 'm', prompt: 'p', output: 'text' };
  const keys = [
    (value: unknown) => ({ input: { path: 't.csv', id: value } }),
    (value: unknown) => ({ input: { path: 't.csv' }, prompt: value }),
    (value: unknown) => ({ input: { path: 't.csv' }, prompt: { user: 'u', images: [value] } }),
    (value: unknown) => ({ input: { path: 't.csv' }, output: value }),
    (value: unknown) => ({ input: { path: 't.csv' }, labels: value }),
    (value: unknown) => ({ input: { path: 't.csv' }, params: { stop: value } }),
    (value: unknown) => ({ input: { path: 't.csv' }, write: { keep: value } }),
    (value: unknown) => ({ input: { path: 't.csv' }, fail_if: { failed_rows: value } }),
  ];
  const values = ['', 'a', -1, 0, 1.5, true, null, [], ['a'], ['a', 'a'], [1], {}, { user: 'u' }, { a: 'b' }, { url: 'u' }, { a: null }];
  for (const makeKeys of keys) {
    const verdicts = values.map((value) => isChecked({ ...base, ...makeKeys(value) }));
    assert.ok(verdicts.includes(true) && verdicts.includes(false), String(makeKeys));
    assert.deepEqual(
      values.map((value) => isComplete({ ...base, ...makeKeys(value) })),
      verdicts,
      String(makeKeys),
    );
  }
});

test('every key of a job file has a description and an example, and examples and defaults match the schema', () => {
  type Node = Record<string, unknown> & { properties?: Record<string, Node>; items?: Node; anyOf?: Node[] };
  const ajv = new Ajv2020({ strict: false });
  let keys = 0;
  let defaults = 0;
  const visit = (node: Node, at: string) => {
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      const name = `${at}${key}`;
      keys += 1;
      assert.ok(String(child.description ?? '').length > 10, `${name} has no description`);
      assert.ok(Array.isArray(child.examples) && child.examples.length > 0, `${name} has no example`);
      const validate = ajv.compile(child);
      for (const example of child.examples) assert.ok(validate(example), `${name}: ${JSON.stringify(example)}`);
      if (child.default !== undefined) {
        defaults += 1;
        assert.ok(validate(child.default), `${name}: ${JSON.stringify(child.default)}`);
      }
      visit(child, `${name}.`);
    }
    if (node.items !== undefined) visit(node.items, `${at}[].`);
    for (const branch of node.anyOf ?? []) visit(branch, at);
  };
  visit(makeEditorSchema() as Node, '');
  assert.ok(keys >= 90 && defaults >= 20, `${keys} keys, ${defaults} defaults`);
});

test('job.schema.json is what the code makes', () => {
  const file = path.join(projectRoot, 'job.schema.json');
  const text = `${JSON.stringify(makeEditorSchema(), null, 2)}\n`;
  if (process.env.UPDATE_GOLDEN === '1') fs.writeFileSync(file, text);
  assert.equal(fs.readFileSync(file, 'utf8'), text);
});
