import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { makeReadOptions } from '../src/cli/read-options.ts';
import { readRowHistory } from '../src/inspect/row-history.ts';
import { makeRows, makeWorld, type World } from './helpers/run-world.ts';

/** Every way in which an answer may come back spoiled. */
const KINDS = [
  ...['refusal', 'length', 'reasoning_eats_cap', 'content_filter', 'tool_calls', 'no_choices', 'empty', 'invalid_json', 'wrong_schema'],
  ...['prose', 'fenced', 'duplicate_key', 'not_a_number', 'huge_number', 'large_integer', 'lone_surrogate', 'proto_key', 'deep_nesting'],
];
const ROWS = 80;
/** Rows whose key begins so are spoiled at every attempt. */
const STUBBORN = { a: 'invalid_json', b: 'wrong_schema', c: 'length', d: 'duplicate_key', e: 'large_integer' };
/** Together they spoil about 30 % of all answers. */
const FAULTS = [
  ...Object.entries(STUBBORN).map(([letter, answer]) => ({ match: { custom_id: `${letter}*` }, do: { answer } })),
  ...KINDS.map((answer) => ({ match: { share: 0.24 / KINDS.length, attempts: 'all' }, do: { answer } })),
];

type Body = {
  readonly choices: readonly {
    readonly finish_reason: string;
    readonly message: { readonly content: string | null; readonly refusal?: string | null };
  }[];
};

/** What an answer is worth, decided without the program's own code: the job asks for a label of three and a summary. */
function judge({ choices: [choice] }: Body): string {
  if (choice === undefined) return 'invalid';
  if (choice.message.refusal) return 'refused';
  if (choice.finish_reason === 'content_filter') return 'filtered';
  if (choice.finish_reason === 'length') return 'truncated';
  const text = choice.message.content ?? '';
  const json = text.replace(/^```json\n|\n```$/g, '');
  try {
    const value = JSON.parse(json) as Record<string, unknown>;
    const isWhole = Object.keys(value).sort().join() === 'label,summary' && json.split('"label":').length === 2;
    return isWhole && ['good', 'bad', 'other'].includes(String(value.label)) && typeof value.summary === 'string' ? 'ok' : 'invalid';
  } catch {
    return 'invalid';
  }
}

/** The worth of every attempt of a key, as the stored lines have them, the first asking first. */
function readAttempts(world: World): Map<string, string[]> {
  const attempts = new Map<string, string[]>();
  const folder = path.join(world.stateDirectory, 'responses');
  const lines = fs.readdirSync(folder).flatMap((name) => fs.readFileSync(path.join(folder, name), 'utf8').trimEnd().split('\n'));
  const read = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as { custom_id: string; response: { body: Body } });
  for (const { custom_id: id, response } of read.toSorted((a, b) => (a.custom_id < b.custom_id ? -1 : 1))) {
    attempts.set(id.slice(0, 22), [...(attempts.get(id.slice(0, 22)) ?? []), judge(response.body)]);
  }
  return attempts;
}

type Cells = Readonly<Record<string, string>>;

async function runBroken(world: World, mode: 'batch' | 'live'): Promise<readonly Cells[]> {
  const { summary } = await world.run({ overrides: { cwd: world.directory, input: null, out: null, mode } });
  const attempts = readAttempts(world);
  const worths = [...attempts.values()];
  const broken = worths.filter(([first]) => first !== 'ok').length / worths.length;
  assert.ok(broken > 0.15 && broken < 0.4, `${broken} of the first answers are unusable as they are`);

  const rows = parse(world.read('out.csv'), { columns: true }) as Cells[];
  const keys = fs
    .readFileSync(path.join(world.stateDirectory, 'runs', summary.run, 'rows'), 'utf8')
    .trimEnd()
    .split('\n');
  assert.equal(rows.length, ROWS);
  for (const [index, row] of rows.entries()) {
    const key = /[A-Za-z0-9_-]{22}(?=\W*$)/.exec(keys[index] as string)?.[0] as string;
    const worth = attempts.get(key) as string[];
    const last = worth.at(-1) as string;
    assert.ok(
      worth.slice(0, -1).every((one) => one === 'invalid' || one === 'truncated'),
      `only these are asked again: ${worth}`,
    );
    assert.equal(row._status, last === 'ok' ? 'ok' : 'failed', `${row.id}: ${worth}`);
    assert.equal(Number(row._attempts), worth.length);
    if (last === 'ok') assert.match(`${row.label} ${row.summary}`, /^(good|bad|other) ./);
    else {
      assert.ok(row._error?.startsWith(`${last}: `), `${row._error} is ${last}`);
      assert.ok(last === 'refused' || last === 'filtered' || worth.length === 3, `${worth}`);
    }
  }
  const bill = world.simulator.bill();
  const cost = bill.reduce((sum, { usage }) => sum + Number(usage.prompt_tokens) * 150 + Number(usage.completion_tokens) * 600, 0);
  assert.deepEqual([summary.attempts.total, summary.ledger.attempts], [bill.length, bill.length]);
  assert.equal(summary.cost.nanoUsd, mode === 'live' ? cost : cost / 2);
  if (mode === 'batch') world.check(summary);
  return rows;
}

test('with 30 % of answers spoiled in every way, each row ends as a valid answer or with the right cause, the same in both lanes', async (t) => {
  const tables: (readonly Cells[])[] = [];
  for (const mode of ['batch', 'live'] as const) {
    const world = await makeWorld(t, { rows: makeRows(ROWS), faults: FAULTS });
    const rows = await runBroken(world, mode);
    tables.push(rows);
    const stubborn = rows.filter((row) => row._attempts === '3' && row._status === 'failed');
    assert.ok(stubborn.length >= 3);
    const look = { ...makeReadOptions(world.path('job.yaml'), {}), cwd: world.directory };
    const { attempts } = await readRowHistory(look, stubborn[0]?.id as string);
    assert.equal(attempts.filter(({ answer }) => answer !== null).length, 3, 'every raw answer is kept');
  }
  const pick = ({ id, label, summary, _status, _error }: Cells) => [id, label, summary, _status, _error];
  assert.deepEqual(tables[0]?.map(pick), tables[1]?.map(pick));
});

test('a truncated answer is retried with twice the cap up to the model’s maximum, and not beyond', async (t) => {
  for (const [cap, attempts] of [
    [16_384, 1],
    [10_000, 2],
  ] as const) {
    const world = await makeWorld(t, {
      rows: makeRows(1),
      job: `params: { max_output_tokens: ${cap} }`,
      faults: [{ do: { answer: 'length' } }],
    });
    const { summary } = await world.run();
    assert.deepEqual([summary.causes, summary.attempts.total], [{ truncated: 1 }, attempts]);
  }
});
