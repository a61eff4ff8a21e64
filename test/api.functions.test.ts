import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type TestContext, test } from 'node:test';
import { inspectPrompt } from '../src/api/inspect-prompt.ts';
import { defineJob, type RunSettings, type StandardSchema, UsageError } from '../src/index.ts';
import { collect, makeFolder } from './helpers/api-world.ts';
import { someOf, wideTest } from './helpers/wide.ts';

type PromptFunction = (row: Readonly<Record<string, string>>) => unknown;

interface Change {
  readonly output?: unknown;
  readonly mode?: 'batch' | 'live';
  readonly name?: string;
}

/** A job over three rows whose prompt function is what a program without types might have written. */
function define(t: TestContext, prompt: PromptFunction | string, { output = 'text', mode = 'live', name = 'functions' }: Change = {}) {
  const directory = makeFolder(t, { 'in.csv': 'id,text\n1,fine\n2,awful\n3,meh\n' });
  const definition = { name, directory, input: { path: 'in.csv', id: 'id' }, model: 'gpt-4o-mini', mode, prompt, output };
  return { directory, job: defineJob(definition as never) as ReturnType<typeof defineJob<'text'>> };
}

async function refuses(call: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    assert.ok(error instanceof UsageError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

/** Functions that are wrong for every row, and what is said of them. */
const WRONG: readonly (readonly [PromptFunction, RegExp])[] = [
  [(row) => row.txet, /^prompt: no column "txet" in in\.csv\. Columns: id, text\. Did you mean "text"\?$/],
  [async (row) => row.txet, /^prompt: no column "txet" in in\.csv/],
  [
    ({ text }) => `${text} ${Math.random()}`,
    /^prompt: asked twice about row 1, the function does not return the same prompt; .* time, chance/,
  ],
  [({ text }) => ({ user: text, system: new Date().toISOString() }), /^prompt: asked twice about row 1/],
  [
    (
      ({ calls }) =>
      ({ text }: { text?: string }) =>
        `${text} ${calls++}`
    )({ calls: 0 }),
    /^prompt: asked twice about row 1/,
  ],
  [
    () => undefined,
    /^prompt: the function gave nothing \(undefined\); give a text, \{ system, user, images, files \}, or null to skip the row$/,
  ],
  [() => 5, /^prompt: the function gave 5; give a text/],
  [({ text }) => [{ role: 'user', content: text }], /^prompt: the function gave a list; give a text/],
  [({ text }) => ({ usr: text }), /^prompt: the function gave an unknown part "usr"\. Did you mean "user"\?$/],
  [
    ({ text }) => ({ role: 'user', content: text }),
    /^prompt: the function gave an unknown part "role"\. Parts: system, user, images, files$/,
  ],
  [() => ({ user: 5 }), /^prompt: the function user: give a text, not 5$/],
  [() => ({ user: 'x', files: 'a.pdf' }), /^prompt: the function files: give a list, not this text$/],
  [() => ({ user: 'x', files: [{ url: 'a.pdf' }] }), /^prompt: the function files: give texts, not a value of type object$/],
  [() => ({ user: 'x', images: 'a.png' }), /^prompt: the function images: give a list, not this text$/],
  [() => ({ user: 'x', images: [{ path: 'a.png' }] }), /^prompt: the function images: give texts, or \{ url, detail \}/],
  [
    () => ({ user: 'x', images: [{ url: 'a.png', detail: 'best' }] }),
    /^prompt: the function images: detail is low, high, auto, not this text$/,
  ],
];

wideTest('a prompt function that cannot be used is refused before anything is sent', async (t) => {
  for (const [prompt, message] of someOf(WRONG, 4)) {
    const { job, directory } = define(t, prompt);
    await refuses(job.plan({ simulate: true }), message);
    await refuses(job.run({ simulate: true }), message);
    assert.deepEqual(fs.readdirSync(directory), ['in.csv']);
  }
});

wideTest('a row over which a prompt function throws or rejects is skipped with the message, whatever it throws', async (t) => {
  const throwing: readonly PromptFunction[] = [
    async ({ id, text }) => (id === '2' ? Promise.reject(new Error('no words')) : text),
    ({ id, text }) => {
      if (id === '2') throw new Error('no words');
      return text;
    },
    // biome-ignore lint/suspicious/noThenProperty: a promise of another library is what is tried here
    ({ id, text }) => (id === '2' ? { then: (_: unknown, reject: (why: string) => void) => reject('no words') } : text),
  ];
  for (const prompt of someOf(throwing, 1)) {
    const run = await define(t, prompt).job.run({ simulate: true });
    const ends = (await collect(run.results())).map((result) => ('message' in result ? result.message : result.disposition));
    assert.deepEqual(ends, ['ok', 'no words', 'ok']);
  }
});

wideTest('an asynchronous prompt function is awaited in every pass, in both lanes, and its answers are reused', async (t) => {
  for (const mode of ['batch', 'live'] as const) {
    let most = 0;
    let under = 0;
    const prompt: PromptFunction = async ({ text }) => {
      under += 1;
      most = Math.max(most, under);
      await new Promise(setImmediate);
      under -= 1;
      return `Say: ${text}`;
    };
    const { job, directory } = define(t, prompt, { mode });
    const rows = Array.from({ length: 100 }, (_, index) => `${index},text ${index}`);
    fs.writeFileSync(path.join(directory, 'in.csv'), `id,text\n${rows.join('\n')}\n`);
    const { firstRequest, rows: planned } = await job.plan({ simulate: true });
    assert.match(JSON.stringify(firstRequest), /Say: text 0/);
    assert.equal(planned.new, 100);
    const run = await job.run({ simulate: true });
    assert.deepEqual([run.summary.exitCode, run.summary.rows.ok], [0, 100]);
    const again = await job.run({ simulate: true });
    assert.deepEqual([again.summary.rows.reused, again.summary.attempts.total], [100, 0]);
    assert.equal((await collect(again.results())).filter(({ disposition }) => disposition === 'ok').length, 100);
    assert.ok(most > 1 && most <= 32, `${most} at once`);
  }
});

test('serialising, spreading or inspecting a row is not mistaken for reading a missing column', async (t) => {
  const prompt: PromptFunction = (row) =>
    `${JSON.stringify(row)} ${JSON.stringify({ ...row })} ${'note' in row} ${Object.keys(row).join()}`;
  const { firstRequest } = await define(t, prompt).job.plan({ simulate: true });
  assert.match(JSON.stringify(firstRequest).replaceAll('\\', ''), /\{"id":"1","text":"fine"\} \{"id":"1","text":"fine"\} false id,text/);
});

type Validate = StandardSchema['~standard']['validate'];
const OBJECT = { type: 'object', properties: { score: { type: 'number', minimum: 0 } }, required: ['score'], additionalProperties: false };

function makeSchema(validate: Validate, jsonSchema: Readonly<Record<string, unknown>> | null = null): StandardSchema {
  const made = jsonSchema === null ? {} : { jsonSchema: { input: () => jsonSchema } };
  return { '~standard': { version: 1, vendor: 'test', validate, ...made } };
}

const accept: Validate = (value) => ({ value });
const refuse: Validate = () => ({ issues: [{ message: 'no' }] });

test('a schema for anything but one object is refused when the job is defined, with what to do instead', (t) => {
  const wrong: readonly (readonly [StandardSchema, string])[] = [
    [makeSchema(accept, { type: 'array', items: { type: 'string' } }), 'a list'],
    [makeSchema(accept, { type: 'string' }), 'a text'],
    [makeSchema(accept, { type: ['integer', 'null'] }), 'a whole number or null'],
    [makeSchema(accept, { enum: ['a', 'b'] }), 'a text'],
    [makeSchema(accept, { anyOf: [{ type: 'string' }, { $ref: '#/$defs/list' }], $defs: { list: { type: 'array' } } }), 'a text or a list'],
    [makeSchema((value) => (Array.isArray(value) ? { value } : { issues: [] })), 'a list'],
    [makeSchema((value) => (typeof value === 'string' ? { value } : { issues: [] })), 'a text'],
  ];
  for (const [output, wanted] of wrong)
    assert.throws(() => define(t, 'JSON {{ text }}', { output }), {
      message: `output: the schema wants ${wanted}, but an answer is one JSON object; put it into a field, for example { answer: … }`,
    });
  const right = [
    makeSchema(accept, OBJECT),
    makeSchema(accept, { anyOf: [OBJECT, { type: 'string' }] }),
    makeSchema(accept),
    makeSchema(refuse),
  ];
  for (const output of right) define(t, 'JSON {{ text }}', { output });
});

test('a schema that validates asynchronously is refused before the first call, even if only a valid answer reveals it', async (t) => {
  const message =
    /^output: the schema checks asynchronously; .* the check must be synchronous\. Leave the asynchronous part out, and do it over run\.results\(\)$/;
  assert.throws(() => define(t, 'JSON {{ text }}', { output: makeSchema(async (value) => ({ value })) }), { message });
  // As a refinement of zod does: what has not the shape is refused at once, and only then it is looked further.
  const refined: Validate = (value) =>
    typeof (value as { score?: unknown } | null)?.score === 'number' ? Promise.reject(new Error('never awaited')) : { issues: [] };
  const { job, directory } = define(t, 'JSON {{ text }}', { output: makeSchema(refined, OBJECT) });
  await refuses(job.plan({ simulate: true }), message);
  await refuses(job.run({ simulate: true }), message);
  assert.deepEqual(fs.readdirSync(directory), ['in.csv']);
});

/** What a program may throw while a run is under way. */
const fault = new RangeError('of the program');

wideTest('what a listener or a check throws is thrown by run(), and the next run continues with what was paid for', async (t) => {
  let isBroken = true;
  const checking: Validate = (value) => {
    if (isBroken) throw fault;
    return { value };
  };
  const cases: readonly (readonly [string, RunSettings, Validate])[] = [
    ['onProgress', { onProgress: () => Promise.reject(fault) }, accept],
    ['onProgress, at once', { onProgress: throwFault }, accept],
    ['a check', {}, checking],
  ];
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', note);
  t.after(() => process.off('unhandledRejection', note));
  for (const mode of someOf(['live', 'batch'] as const, 1)) {
    for (const [name, settings, validate] of someOf(cases, 2)) {
      isBroken = true;
      const { job } = define(t, 'Rate, as JSON: {{ text }}', { output: makeSchema(validate, OBJECT), mode });
      await assert.rejects(job.run({ simulate: true, ...settings }), (error) => error === fault, `${name}, ${mode}`);
      isBroken = false;
      const { summary } = await job.run({ simulate: true });
      assert.deepEqual([summary.exitCode, summary.rows.ok, summary.ledger.attempts], [0, 3, 3], `${name}, ${mode}`);
    }
  }
  await new Promise(setImmediate);
  assert.deepEqual(unhandled, []);
});

function throwFault(): never {
  throw fault;
}

test('a prompt function sends PDF files, each a single file, and no more than the declared maximum', async (t) => {
  const directory = makeFolder(t, {
    'in.csv': 'id,file\n1,a.pdf\n2,*.pdf\n3,b.pdf\n',
    'a.pdf': '%PDF-1.7 /Type /Page',
    'b.pdf': '%PDF-1.7',
  });
  const job = defineJob({
    name: 'files',
    directory,
    input: { path: 'in.csv', columns: ['id', 'file'], id: 'id' },
    model: 'gpt-4o',
    mode: 'live',
    output: 'text',
    max_images: 1,
    prompt: ({ id, file }) => ({ user: 'Read', files: id === '3' ? [file, file] : [file] }),
  });
  const run = await job.run({ simulate: true });
  const results = await collect(run.results());
  assert.deepEqual(
    results.map((result) => (result.disposition === 'skipped' ? result.message : result.disposition)),
    [
      'ok',
      `the file "*.pdf": no such file (${path.join(directory, '*.pdf')})`,
      '2 images and files, where the job has at most 1; raise max_images',
    ],
  );
});

test('trying a prompt function on many rows causes no leak warning from Node', async () => {
  const warnings: string[] = [];
  const listen = ({ name }: Error) => warnings.push(name);
  process.on('warning', listen);
  try {
    const rows = Array.from({ length: 32 }, (_, index) => ({ text: String(index) }));
    await inspectPrompt({ renderMessages: async ({ text }) => [{ role: 'user', content: String(text) }] }, rows as never, {
      sleep: () => Promise.resolve(),
      signal: new AbortController().signal,
    });
    await new Promise(setImmediate);
    assert.deepEqual(warnings, []);
  } finally {
    process.off('warning', listen);
  }
});
