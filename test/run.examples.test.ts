import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import fc from 'fast-check';
import { createExampleChooser } from '../src/input/request/choose-examples.ts';
import { makeRows, makeWorld, renderCsv, type World } from './helpers/run-world.ts';
import { wideTest } from './helpers/wide.ts';

/** Gold rows whose columns are called otherwise than in the job. */
function makeGold(count: number): [string, string, string][] {
  const labels = ['good', 'bad', 'other'];
  return Array.from({ length: count }, (_, index) => [String(index), `Remark ${index}, {{ text }}`, labels[index % 3] as string]);
}

const GOLD_HEADER = ['nr', 'said', 'mood'];
const JOB = [
  'output: { label: "good | bad | other" }',
  'labels: [good, bad, other]',
  'examples: { path: gold.csv, input: { text: said }, output: { label: mood }, count: 4, holdout: rest.csv }',
].join('\n');

async function makeExamplesWorld(t: Parameters<typeof makeWorld>[0], lines = JOB, gold = makeGold(30)): Promise<World> {
  const world = await makeWorld(t, { rows: makeRows(3), job: lines });
  world.write('gold.csv', renderCsv(gold, GOLD_HEADER));
  return world;
}

type Message = { readonly role: string; readonly content: string };

/** The messages of the first request that was sent, and its id. */
function readSent(world: World): { readonly id: string; readonly messages: readonly Message[] } {
  const folder = world.path('.rowmill/proof@simulator/provider');
  const files = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`);
  const input = files.find((name) => fs.statSync(name).isFile() && fs.readFileSync(name, 'utf8').startsWith('{"custom_id"')) as string;
  const line = JSON.parse(fs.readFileSync(input, 'utf8').split('\n')[0] as string);
  return { id: line.custom_id, messages: line.body.messages };
}

wideTest('examples precede the row as question and right answer, labels in turn; the others are held out', async (t) => {
  const world = await makeExamplesWorld(t);
  const { summary } = await world.run();
  assert.deepEqual([summary.exitCode, summary.rows.ok], [0, 3]);
  const { messages } = readSent(world);
  assert.deepEqual(
    messages.map(({ role }) => role),
    [...Array(4).fill(['user', 'assistant']).flat(), 'user'],
  );
  const answers = messages
    .filter(({ role }) => role === 'assistant')
    .map(({ content }) => (JSON.parse(content) as { label: string }).label);
  assert.deepEqual(new Set(answers.slice(0, 3)), new Set(['good', 'bad', 'other']));
  assert.match(messages[0]?.content ?? '', /^Label and summarize, reply in JSON: Remark \d+, \{\{ text \}\}$/, 'a cell is no template');
  const held = world.read('rest.csv').trimEnd().split('\n');
  assert.equal(held.length, 1 + 26);
  assert.equal(held[0], 'nr,text,mood', 'the job can be run over it');
  for (const { content } of messages.filter(({ role }) => role === 'user').slice(0, 4)) {
    assert.ok(!world.read('rest.csv').includes(`"${content.split(': ')[1]}"`), 'what is shown is not held out');
  }
  const again = await world.run();
  assert.equal(again.summary.attempts.total, 0, 'the choice is the same');
});

wideTest('the choice depends on the seed and on the content of the rows, not on their order', async (t) => {
  const first = await makeExamplesWorld(t);
  await first.run();
  const shuffled = await makeExamplesWorld(t, JOB, makeGold(30).reverse());
  await shuffled.run();
  assert.deepEqual(readSent(shuffled).messages.slice(0, -1), readSent(first).messages.slice(0, -1));
  const other = await makeExamplesWorld(t, JOB.replace('count: 4', 'count: 4, seed: 2'));
  await other.run();
  assert.notDeepEqual(readSent(other).messages.slice(0, -1), readSent(first).messages.slice(0, -1));
  const rows = fc.uniqueArray(fc.record({ user: fc.string(), assistant: fc.string(), label: fc.constantFrom('a', 'b') }), {
    selector: ({ user }) => user,
  });
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 6 }), fc.nat(), (examples, count, seed) => {
      const choose = (offered: typeof examples) => {
        const chooser = createExampleChooser({ count, seed });
        for (const example of offered) chooser.offer({ ...example, place: '' });
        return chooser.choose();
      };
      assert.deepEqual(choose(examples), choose([...examples].reverse()));
      assert.equal(choose(examples).length, Math.min(count, examples.length));
    }),
    { numRuns: 30 },
  );
});

const REFUSED: readonly [change: (job: string) => string, gold: [string, string, string][], message: RegExp][] = [
  [
    (job) => job.replace('text: said', 'text: sayd'),
    makeGold(3),
    /job\.yaml:\d+:\d+ +examples: no column "sayd" in gold\.csv.*Did you mean "said"/,
  ],
  [(job) => job.replace(', output: { label: mood }', ''), makeGold(3), /examples: no column "label" in gold\.csv/],
  [(job) => job, [['1', 'x', 'angry']], /examples: .*gold\.csv:2: its answer does not match the job's output: label must be one of/],
  [(job) => job, [['1', 'x', '']], /examples: no row of gold\.csv has both a question and an answer/],
  [(job) => job.replace('count: 4', 'count: 0'), makeGold(3), /examples\.count: must be 1 or more/],
];

wideTest('an unsuitable table of examples is reported before anything is sent', async (t) => {
  for (const [change, gold, message] of REFUSED) {
    const world = await makeExamplesWorld(t, change(JOB), gold);
    const problem = await world.run().then(
      () => 'accepted',
      (error: Error & { problems?: { place: string; message: string }[] }) =>
        error.problems?.map(({ place, message }) => (message.includes('job.yaml') ? message : `${show(place)}  ${message}`)).join() ??
        error.message,
    );
    assert.match(problem, message);
  }
});

function show(place: unknown): string {
  const { file, line, column } = (place ?? {}) as { file?: string; line?: number; column?: number };
  return `${file}:${line}:${column}`;
}
