import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { makeJsonModeAnswer } from '../src/simulator/answers/json-mode-answer.ts';
import { makeAnswer } from '../src/simulator/answers/schema-answer.ts';
import { createLifelikeValues } from '../src/simulator/lifelike/lifelike-values.ts';
import { startSimulator } from '../src/simulator/start.ts';
import { projectRoot } from './helpers/project-root.ts';
import { chatLine, createApi, type SimulatorApi, withSimulator } from './helpers/simulator-api.ts';
import { wideTest } from './helpers/wide.ts';

const LABELS =
  'Assign exactly one label to the ticket. Labels:\n- billing: charges, invoices, refunds\n- bug: something is broken\n- feature: asks for something new\n- other: none of the above\n';
const LABEL_SCHEMA = objectOf({ label: { type: 'string', enum: ['billing', 'bug', 'feature', 'other'] } });
const RATE = 'Rate the sentiment of this review. Reply in JSON with "sentiment" and "score".';

function objectOf(properties: Readonly<Record<string, unknown>>) {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

const readerOf = (texts: readonly string[]) => createLifelikeValues(texts, () => 0.5);
const answerIn = (schema: Readonly<Record<string, unknown>>, ...texts: readonly string[]) =>
  makeAnswer(schema, readerOf(texts)) as Readonly<Record<string, unknown>>;
const labelOf = (text: string) => answerIn(LABEL_SCHEMA, LABELS, text).label;
const sentimentOf = (text: string) => {
  const texts = [`${RATE}\n${text}`];
  return makeJsonModeAnswer(texts, readerOf(texts)).sentiment;
};

/** Written after the lists of words were done, and no list was changed since: docs/simulator.md has the figures. */
const HELD_OUT: readonly Readonly<Record<string, string>>[] = parse(readFileSync(join(projectRoot, 'test', 'held-out.csv')), {
  columns: true,
});

for (const [lang, name] of Object.entries({ en: 'English', de: 'German', ru: 'Russian', ja: 'Japanese', zh: 'Chinese' })) {
  test(`labels and sentiments of unseen sentences are mostly right in ${name}`, () => {
    for (const [task, answer, most] of [
      ['ticket', labelOf, 8],
      ['review', sentimentOf, 12],
    ] as const) {
      const rows = HELD_OUT.filter((row) => row.lang === lang && row.task === task);
      const right = rows.filter(({ text = '', expected }) => answer(text) === expected).length;
      assert.equal(rows.length, 30);
      // The commonest answer alone would be right for `most` of them.
      assert.ok(right >= most + 4, `${task}: ${right} of 30`);
      assert.ok(right < rows.length, 'a reader that is never wrong has seen the sentences');
    }
  });
}

test('fields are extracted from the text, and null if it lacks them', () => {
  const schema = objectOf({
    kind: { type: 'string', enum: ['invoice', 'reminder', 'other'] },
    vendor: objectOf({ name: { type: ['string', 'null'] }, vat_id: { type: ['string', 'null'] } }),
    number: { type: ['string', 'null'] },
    date: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    currency: { type: ['string', 'null'] },
    total: { type: ['number', 'null'] },
    positions: { type: 'array', items: objectOf({ text: { type: 'string' }, amount: { type: ['number', 'null'] } }) },
  });
  const instructions = 'Read the fields of an invoice from its text.';
  assert.deepEqual(
    answerIn(
      schema,
      instructions,
      'Nordlicht GmbH, Kiel\nUSt-IdNr. DE 123 456 789\nRechnung 7788, 4. Juni 2026\n3 Lampen 90,00 EUR\nGesamt 1.090,00 EUR',
    ),
    {
      kind: 'invoice',
      vendor: { name: 'Nordlicht GmbH', vat_id: 'DE 123 456 789' },
      number: '7788',
      date: '2026-06-04',
      currency: 'EUR',
      total: 1090,
      positions: [{ text: '3 Lampen', amount: 90 }],
    },
  );
  const empty = answerIn(schema, instructions, 'see you soon');
  assert.deepEqual([empty.number, empty.date, empty.currency, empty.total, empty.positions], [null, null, null, null, []]);
});

test('a summary consists of sentences of the thread, tasks are those that request something', () => {
  const schema = objectOf({
    summary: { type: 'string' },
    action_items: { type: 'array', items: { type: 'string' } },
    urgent: { type: 'boolean' },
  });
  const thread = 'Subject: Delivery\nEva: The parcel is lost, we need it by Friday.\nSupport: Hm.\nEva: Please send another one.';
  assert.deepEqual(answerIn(schema, 'Summarize. Reply in JSON.', thread), {
    summary: 'Eva: The parcel is lost, we need it by Friday. Please send another one.',
    action_items: ['The parcel is lost, we need it by Friday.', 'Please send another one.'],
    urgent: true,
  });
});

const BODIES = Array.from({ length: 120 }, (_, index) => ({
  messages: [
    { role: 'system', content: LABELS },
    { role: 'user', content: `Invoice ${index} is wrong and the page crashes.` },
  ],
  response_format: { type: 'json_schema', json_schema: { name: 'a', strict: true, schema: LABEL_SCHEMA } },
}));

async function ask({ submit, finish, readLines }: SimulatorApi): Promise<readonly string[]> {
  const { output_file_id: file } = await finish(await submit(BODIES.map((body, index) => chatLine(`row-${index}`, body))));
  const lines = (await readLines(file)) as { custom_id: string; response: { body: { choices: { message: { content: string } }[] } } }[];
  return lines
    .sort((one, other) => Number(one.custom_id.slice(4)) - Number(other.custom_id.slice(4)))
    .map(({ response }) => response.body.choices[0]?.message.content ?? '');
}

const shareOf = (one: readonly string[], other: readonly string[]) =>
  one.filter((answer, index) => answer !== other[index]).length / one.length;
const isNear = (share: number, wanted: number) => Math.abs(share - wanted) < 0.1;

test('noise is the share of prompts that get two different answers when sent twice', () =>
  withSimulator({ answers: 'lifelike', noise: 0.3 }, async (api) => {
    const share = shareOf(await ask(api), await ask(api));
    assert.ok(isNear(share, 0.3), String(share));
  }));

wideTest('a degraded simulator gives the same other answers each time', async () => {
  let best: readonly string[] = [];
  await withSimulator({ answers: 'lifelike' }, async (api) => {
    best = await ask(api);
    assert.deepEqual(await ask(api), best);
  });
  await withSimulator({ answers: 'lifelike', degrade: 0.4 }, async (api) => {
    const first = await ask(api);
    assert.deepEqual(await ask(api), first);
    assert.ok(isNear(shareOf(first, best), 0.4), String(shareOf(first, best)));
  });
});

test('an entry of the fault plan makes one model worse', () =>
  withSimulator({ answers: 'lifelike', faults: [{ match: { model: 'gpt-4o-mini', row: 1 }, do: { answer: 'slip' } }] }, async (api) => {
    const [first, second] = await ask(api);
    assert.notEqual(first, second);
    assert.equal(api.simulator.faultsFired()[0]?.fired, 1);
  }));

/** So many calls with one body, the simulator started anew after each so many. */
async function askLive(starts: number, calls: number): Promise<readonly string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'rowmill-'));
  const answers: string[] = [];
  try {
    for (let start = 0; start < starts; start += 1) {
      const simulator = await startSimulator({ stateDirectory: directory, noise: 0.5 });
      for (let call = 0; call < calls; call += 1) {
        const answer = await createApi(simulator).request('POST', '/chat/completions', { model: 'gpt-4o-mini', ...BODIES[0] });
        answers.push(answer.json.choices[0].message.content);
      }
      await simulator.close();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return answers;
}

test('the noise of live calls continues after a restart as it would have without one', async () => {
  const answers = await askLive(4, 2);
  assert.deepEqual(answers, await askLive(1, 8));
  assert.equal(new Set(answers).size, 2);
});
