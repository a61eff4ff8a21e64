import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspectPrompt } from '../src/api/inspect-prompt.ts';
import { createRowSource } from '../src/api/row-source.ts';
import { defineJob, type RunSettings, UsageError } from '../src/index.ts';
import { createCodePrompts } from '../src/input/request/code-prompts.ts';
import { startSimulator } from '../src/simulator/start.ts';
import { makeFolder } from './helpers/api-world.ts';
import { wideTest } from './helpers/wide.ts';

const itself: Record<string, unknown> = { text: 'a' };
itself.self = itself;

/** What a program without types may write, by the test's folder. */
const define = (directory: string, change: object) =>
  defineJob({
    name: 'hostile',
    directory,
    input: { path: 'in.csv' },
    model: 'gpt-4o-mini',
    mode: 'live',
    prompt: (row: Readonly<Record<string, string>>) => `JSON ${row.text}`,
    output: { good: 'boolean' },
    retry: { attempts: 1 },
    ...change,
  } as never);

const schema = (validate: unknown, version: unknown = 1) => ({ '~standard': { version, vendor: 'own', validate } });

/** Refused at once, or before anything is sent. */
const REFUSED: readonly (readonly [object, RegExp])[] = [
  [{ budget: { usd: 5n } }, /^budget\.usd: must be what JSON can hold, not 5n$/],
  [{ params: { seed: Symbol('x') } }, /^params\.seed: must be what JSON can hold, not Symbol\(x\)$/],
  [{ output: { type: 'object', properties: itself } }, /^output\.properties\.self: refers to itself/],
  [{ output: schema(undefined) }, /^output: "~standard" is not a schema of version 1/],
  [{ output: schema((value: unknown) => ({ value }), 2) }, /is not a schema of version 1/],
  [{ output: schema(() => undefined) }, /^output: validate\(\) of the schema gave neither \{ value \} nor \{ issues/],
  [{ output: schema(() => ({ issues: 5 })) }, /gave neither/],
  [{ output: schema(() => ({ value: 5n })) }, /^output: the schema makes a value of the answer that no table can hold/],
  [{ output: schema(() => ({ value: itself })) }, /no table can hold/],
  [{ output: schema(() => ({ value: Symbol('x') })) }, /no table can hold/],
  [{ input: { rows: [itself] } }, /^input\.rows: row 1 refers to itself/],
  [{ input: { rows: [{ text: new Date(Number.NaN) }] } }, /^input\.rows: row 1: "text" is an invalid date/],
  [{ input: { rows: Promise.resolve([{ text: 'a' }]) } }, /^input\.rows: .*not a promise; await it first$/],
];

test('values that a table, a request or JSON cannot hold are refused with a message before anything is sent', async (t) => {
  const directory = makeFolder(t, { 'in.csv': 'text\nfine\n' });
  for (const [change, says] of REFUSED)
    await assert.rejects(
      async () => define(directory, change).run({ simulate: true }),
      (error: unknown) => {
        assert.ok(error instanceof UsageError, String(error));
        assert.match(error.message, says);
        return true;
      },
    );
});

test('a setting is read once: later values of a getter do not count', async (t) => {
  const directory = makeFolder(t, { 'in.csv': 'text\nfine\n' });
  let asked = 0;
  const settings: RunSettings = {
    simulate: true,
    get maxUsd() {
      asked += 1;
      return asked === 1 ? 0 : Number.NaN;
    },
  };
  const { summary } = await define(directory, {}).run(settings);
  assert.deepEqual([asked, summary.exitCode, summary.cost.nanoUsd], [1, 5, 0]);
  const thrown = new Error('the program\u2019s own');
  const throwing = {
    get simulate(): boolean {
      throw thrown;
    },
  };
  await assert.rejects(define(directory, {}).run(throwing), thrown);
});

wideTest('a function that throws something other than text skips its row', async (t) => {
  const directory = makeFolder(t, { 'in.csv': 'text\nfine\n' });
  const prompt = () => {
    throw Object.create(null);
  };
  const { summary } = await define(directory, { prompt }).run({ simulate: true });
  assert.deepEqual(summary.causes, { unrenderable: 1 });
});

test('an endless source of rows is abandoned when the signal fires, and not read again', async () => {
  const stopping = new AbortController();
  const reason = new Error('enough');
  let given = 0;
  async function* giveEndless() {
    for (;;) {
      yield { text: `row ${given++}` };
      if (given === 100) stopping.abort(reason);
    }
  }
  async function* giveNever() {
    yield { text: 'first' };
    await new Promise(() => {});
  }
  const endless = createRowSource(giveEndless());
  await assert.rejects(endless.open(stopping.signal), reason);
  await assert.rejects(endless.open(), /input\.rows: were left by a run that was stopped/);
  assert.ok(given < 110, `${given} rows were taken`);
  await assert.rejects(createRowSource(giveNever()).open(stopping.signal), reason);
});

test('a prompt function that never settles is abandoned when the signal fires', async () => {
  const stopping = new AbortController();
  const reason = new Error('enough');
  const never = { renderMessages: () => new Promise<null>(() => {}) };
  const inspected = inspectPrompt(never, [{ text: 'a' }], { sleep: async () => {}, signal: stopping.signal });
  stopping.abort(reason);
  await assert.rejects(inspected, reason);
  const later = new AbortController();
  const code = { ...never, checkValue: null, id: '', inspect: async () => {} };
  const prompts = createCodePrompts({ messages: [], input: {} } as never, code, { columns: ['text'] });
  const row = { index: 0, file: 'in.csv', line: 2, cells: ['a'] };
  const readRows = async function* () {
    yield [row];
  };
  const table = prompts.awaitIn({ columns: ['text'], readRows } as never);
  const read = table.readRows(later.signal)[Symbol.asyncIterator]().next();
  later.abort(reason);
  await assert.rejects(read, reason);
});

test('a simulator may be closed twice', async () => {
  const simulator = await startSimulator();
  await simulator.close();
  await simulator.close();
  assert.deepEqual(simulator.bill(), []);
});
