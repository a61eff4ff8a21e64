import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { priceCall } from '../src/prove/check/prices.ts';
import { parseCsv } from '../src/prove/check/read-table.ts';
import { type CheckOptions, findViolations } from './helpers/check-run.ts';
import { ANSWER_COLUMNS, CANARY_CELL, CANARY_KEY, makeRows, makeWorld, type World } from './helpers/run-world.ts';

/** A copy of a good run, to be spoiled by hand. */
interface BadRun {
  readonly options: CheckOptions;
  // biome-ignore lint/suspicious/noExplicitAny: bad summaries have bad types.
  readonly summary: any;
  edit(name: string, change: (text: string) => string): void;
  editLines(name: string, change: (lines: string[]) => string[]): void;
  file(name: string): string;
}

let world: World;
let good: CheckOptions;
let runId = '';
let batchId = '';

before(async () => {
  world = await makeWorld(null, {
    rows: [...makeRows(6), ['twin', makeRows(1)[0]?.[1] as string], ['secret', `${CANARY_CELL} stays inside`]],
  });
  const { summary } = await world.run();
  runId = summary.run;
  batchId = summary.batches[0]?.id as string;
  good = world.checkOptions(summary);
});

after(async () => {
  await world.simulator.close();
  fs.rmSync(world.directory, { recursive: true, force: true });
});

/** Copies with the modes of folders, which `cpSync` keeps on some versions of Node only. */
function copyTree(from: string, to: string): void {
  fs.cpSync(from, to, { recursive: true, preserveTimestamps: true });
  for (const entry of fs.readdirSync(from, { recursive: true, encoding: 'utf8' })) {
    const { mode } = fs.statSync(path.join(from, entry));
    fs.chmodSync(path.join(to, entry), mode);
  }
}

function spoil(change: (bad: BadRun) => void): readonly string[] {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rowmill-'));
  try {
    copyTree(world.directory, directory);
    const moved = (file: string) => path.join(directory, path.relative(world.directory, file));
    const summary = structuredClone(good.summary);
    const options: CheckOptions = {
      ...good,
      inputPath: moved(good.inputPath),
      stateDirectory: moved(good.stateDirectory),
      providerDirectory: moved(good.providerDirectory),
      tablePath: moved(good.tablePath as string),
      writePath: moved(good.writePath),
      summary,
    };
    const file = (name: string) => path.join(directory, name.replace(/^state\//, '.rowmill/proof@simulator/'));
    const edit: BadRun['edit'] = (name, alter) => fs.writeFileSync(file(name), alter(fs.readFileSync(file(name), 'utf8')));
    change({
      options,
      summary,
      file,
      edit,
      editLines: (name, alter) => edit(name, (text) => `${alter(text.trimEnd().split('\n')).join('\n')}\n`),
    });
    return findViolations(options);
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

const swap = (lines: string[], a: number, b: number) => lines.with(a, lines[b] as string).with(b, lines[a] as string);
const responses = () => `state/responses/${batchId}.output.jsonl`;

test('the untouched run breaks no promise', () => {
  assert.deepEqual(
    spoil(() => {}),
    [],
  );
});

/** What was done by hand, and the promise the checker must find broken. */
const BAD_RUNS: readonly { title: string; breaks: RegExp; spoil: (bad: BadRun) => void }[] = [
  {
    title: 'a row is lost',
    breaks: /G1: the table has 7 rows/,
    spoil: ({ editLines }) => editLines('out.csv', (lines) => lines.toSpliced(3, 1)),
  },
  {
    title: 'a row occurs twice',
    breaks: /G1: the table has 9 rows/,
    spoil: ({ editLines }) => editLines('out.csv', (lines) => lines.toSpliced(3, 0, lines[3] as string)),
  },
  { title: 'two rows are swapped', breaks: /G1: row 1: id/, spoil: ({ editLines }) => editLines('out.csv', (lines) => swap(lines, 2, 3)) },
  {
    title: 'two answers are swapped',
    breaks: /G3: row 1: summary/,
    spoil: ({ edit }) =>
      edit('out.csv', (text) =>
        text
          .replace('Note number 2 says awful",', 'Note number 3 says awful",')
          .replace(/(\nr2,.*?")(,[a-z]+,)("?[^"\n]*"?)/, '$1$2other words'),
      ),
  },
  {
    title: 'a row is joined to the key of another',
    breaks: /G3: row 1 is joined to a request that does not hold its text/,
    spoil: ({ editLines }) => editLines(`state/runs/${runId}/rows`, (lines) => swap(lines, 1, 2)),
  },
  {
    title: 'a cost is off by one nano-dollar',
    breaks: /G6: _cost_usd adds up to/,
    spoil: ({ edit }) =>
      edit('out.csv', (text) => text.replace(/0\.0000(\d{5})/, (_, digits) => `0.0000${String(Number(digits) + 1).padStart(5, '0')}`)),
  },
  {
    title: 'costs of two rows are booked on one another',
    breaks: /G6: the rows of .* cost/,
    spoil: ({ edit }) => {
      let nth = 0;
      edit('out.csv', (text) =>
        text.replaceAll(/0\.0000(\d{5})/g, (_, digits) => {
          nth += 1;
          const shift = nth === 2 ? 1 : nth === 3 ? -1 : 0;
          return `0.0000${String(Number(digits) + shift).padStart(5, '0')}`;
        }),
      );
    },
  },
  {
    title: 'the total leaves the orphaned calls out',
    breaks: /G6: total/,
    spoil: ({ summary }) => {
      summary.cost.orphanedNanoUsd += 5;
    },
  },
  {
    title: 'the ledger forgets a call',
    breaks: /G6: the recorded answers cost/,
    spoil: ({ summary }) => {
      summary.ledger.nanoUsd -= 1;
    },
  },
  {
    title: 'the table is torn',
    breaks: /G4: a file cannot be read/,
    spoil: ({ edit }) => edit('out.csv', (text) => text.slice(0, -25)),
  },
  {
    title: 'a partial table took the final name',
    breaks: /G4: exit 7 wrote out\.csv/,
    spoil: ({ summary }) => {
      summary.exitCode = 7;
    },
  },
  {
    title: 'a temporary file is left behind',
    breaks: /G4: left behind/,
    spoil: ({ file }) => fs.writeFileSync(file('.out.csv.123.tmp'), ''),
  },
  {
    title: 'half a download is among the responses',
    breaks: /G4: batch_.* has \d+ bytes/,
    spoil: ({ edit }) => edit(responses(), (text) => text.slice(0, Math.floor(text.length / 2))),
  },
  {
    title: 'a billed batch is unknown to the events',
    breaks: /G2: batch_other was billed and stands nowhere/,
    spoil: ({ editLines }) =>
      editLines('state/provider/bill.jsonl', (lines) => [...lines, (lines[0] as string).replace(batchId, 'batch_other')]),
  },
  {
    title: 'a call was billed twice and recorded once',
    breaks: /G2: 1 billed calls are not in the responses/,
    spoil: ({ editLines }) => editLines('state/provider/bill.jsonl', (lines) => [...lines, lines[0] as string]),
  },
  {
    title: 'an answer was recorded that was not billed',
    breaks: /G2: .* is stored 1 times and billed 0 times/,
    spoil: ({ editLines }) => editLines('state/provider/bill.jsonl', (lines) => lines.slice(1)),
  },
  {
    title: 'a batch was created without an intent',
    breaks: /G2: shard 000001 was created without an intent/,
    spoil: ({ editLines }) => editLines('state/events.jsonl', (lines) => lines.filter((line) => !line.includes('create-intent'))),
  },
  {
    title: 'an extra batch is not counted',
    breaks: /G2: the extra batch batch_extra is neither/,
    spoil: ({ editLines }) =>
      editLines('state/events.jsonl', (lines) => [
        ...lines,
        JSON.stringify({ seq: lines.length + 1, type: 'batch-extra', batchId: 'batch_extra', shard: null }),
      ]),
  },
  {
    title: 'the key leaked into an event',
    breaks: /G7: the key stands in events/,
    spoil: ({ edit }) => edit('state/events.jsonl', (text) => text.replace('"default"', '"default"').replace('simulator', CANARY_KEY)),
  },
  {
    title: 'row text leaked into the log',
    breaks: /G7: row text stands in log\.jsonl/,
    spoil: ({ file }) => fs.writeFileSync(file('state/log.jsonl'), `{"msg":"${CANARY_CELL}"}\n`, { mode: 0o600 }),
  },
  {
    title: 'others may read the state',
    breaks: /G7: others may read events/,
    spoil: ({ file }) => fs.chmodSync(file('state/events.jsonl'), 0o644),
  },
  {
    title: 'a finished run has pending rows',
    breaks: /G1: rows are pending after exit 0/,
    spoil: ({ summary, edit }) => {
      summary.rows.pending = 1;
      summary.rows.ok -= 1;
      edit('out.csv', (text) => text.replace(',ok,', ',pending,'));
    },
  },
  {
    title: 'a row failed without saying why',
    breaks: /G1: row 0 failed without a cause/,
    spoil: ({ edit }) => edit('out.csv', (text) => text.replace(',ok,', ',failed,')),
  },
];

for (const bad of BAD_RUNS) {
  test(`the checker sees when ${bad.title}`, () => {
    const violations = spoil(bad.spoil);
    assert.ok(
      violations.some((violation) => bad.breaks.test(violation)),
      `found only: ${violations.join(' | ') || 'nothing'}`,
    );
  });
}

test("the checker's prices are those of the price pages", () => {
  assert.equal(priceCall('batch', 'gpt-4o-mini-2024-07-18', { prompt_tokens: 1200, completion_tokens: 80 }), 114_000);
  assert.equal(priceCall('batch', 'gpt-4.1-nano', { prompt_tokens: 1, completion_tokens: 0 }), 50);
  assert.equal(priceCall('batch', 'gpt-4.1-mini-2025-04-14', { prompt_tokens: 10, completion_tokens: 10 }), 10_000);
  assert.equal(priceCall('live', 'gpt-4o-mini', { prompt_tokens: 10, completion_tokens: 10 }), 7_500);
  assert.equal(priceCall('batch', 'gpt-unknown', { prompt_tokens: 1, completion_tokens: 1 }), null);
});

test('the table reader of the checker refuses an incomplete table', () => {
  assert.deepEqual(parseCsv('a,b\n"x ""y""\nz",\n1,2\r\n'), [
    ['a', 'b'],
    ['x "y"\nz', ''],
    ['1', '2'],
  ]);
  for (const torn of ['a\n"open', 'a\nb"c', 'a\n"b"c']) assert.throws(() => parseCsv(torn));
  assert.deepEqual(ANSWER_COLUMNS.length, 2);
});
