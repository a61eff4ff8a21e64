import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { compileJob } from '../src/input/compile-job.ts';
import { makeJob } from '../src/input/job/make-job.ts';
import { makeWorld, type World } from './helpers/run-world.ts';
import { someOf } from './helpers/wide.ts';
import { findDifferences, makeShapeSpec, readShapes, type Shape } from './helpers/world-shapes.ts';

const LANES = ['batch', 'live'] as const;
const ATTEMPTS = 2;

/** Shapes that one job can ask for, each by a row of its own. */
const groups = new Map<string, Shape[]>();
for (const shape of readShapes()) {
  const { kind, want, endpoint, output, labels } = shape;
  if ((kind !== 'answer' && kind !== 'line') || want.run !== undefined) continue;
  const title = `${endpoint} ${JSON.stringify(output)}${labels === undefined ? '' : ' with labels'}`;
  groups.set(title, [...(groups.get(title) ?? []), shape]);
}

for (const [title, shapes] of someOf([...groups], 8)) {
  for (const lane of someOf(LANES, 1)) {
    // A line is what a batch's file holds: a live call has none.
    const served = shapes.filter(({ kind }) => kind === 'answer' || lane === 'batch');
    if (served.length === 0) continue;
    test(`${served.length} shapes of ${title} end as they should: ${lane}`, async (t) => {
      const spec = makeJobSpec(served[0] as Shape, lane);
      const rows = served.map((shape) => ({ id: shape.name, text: shape.prompt ?? `The shape ${shape.name}` }));
      const keys = makeKeys(spec, rows);
      const faults = served.map(({ name }) => ({ name, match: { custom_id: `${keys.get(name)}*` }, do: { world: name } }));
      const world = await makeWorld(t, { faults });
      world.write('in.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
      world.write('job.yaml', JSON.stringify(spec));
      const { summary } = await world.run();
      assert.ok(summary.exitCode === 0 || summary.exitCode === 3, summary.verdict);
      world.assertFaultsFired();
      const attempts = countAttempts(world);
      assert.deepEqual(
        world
          .read('out.jsonl')
          .trimEnd()
          .split('\n')
          .flatMap((line, index) =>
            judgeRow(served[index] as Shape, JSON.parse(line), attempts.get(keys.get(rows[index]?.id ?? '') ?? '') ?? 0),
          ),
        [],
      );
    });
  }
}

test('a row whose account has no credit left stops the run and stays pending', async (t) => {
  const world = await makeWorld(t, { faults: [{ match: { row: 2 }, do: { world: 'line-429-of-the-provider' } }] });
  const { summary } = await world.run();
  world.assertFaultsFired();
  assert.deepEqual([summary.exitCode, summary.rows.pending, summary.rows.ok], [5, 1, 11]);
});

function makeJobSpec(shape: Shape, mode: (typeof LANES)[number]) {
  const prompt = shape.endpoint === '/v1/embeddings' ? '{{ text }}' : { system: 'Reply in JSON', user: '{{ text }}' };
  const { prompt: _row, ...spec } = makeShapeSpec(shape);
  return {
    name: 'proof',
    input: { path: 'in.jsonl', id: 'id' },
    mode,
    ...spec,
    prompt,
    retry: { attempts: ATTEMPTS },
    write: { path: 'out.jsonl', keep: 'all' },
  };
}

function makeKeys(spec: object, rows: readonly { readonly id: string; readonly text: string }[]): ReadonlyMap<string, string> {
  const job = makeJob(spec, { directory: '/data' });
  const { render } = compileJob({ job }, { columns: ['id', 'text'], format: 'jsonl' });
  return new Map(
    rows.map((row, index) => {
      const rendered = render({ index, file: 'in.jsonl', line: index + 1, cells: [row.id, row.text], record: row, key: null });
      assert.ok(rendered.status === 'request', row.id);
      return [row.id, rendered.request.key];
    }),
  );
}

/** Lines that came back, by key. */
function countAttempts(world: World): ReadonlyMap<string, number> {
  const folder = join(world.stateDirectory, 'responses');
  const lines = readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n'));
  const counts = new Map<string, number>();
  for (const line of lines.filter((text) => text !== '')) {
    const key = (JSON.parse(line) as { custom_id: string }).custom_id.slice(0, 22);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

type Cells = Readonly<Record<string, unknown>>;

function judgeRow(shape: Shape, cells: Cells, attempts: number): readonly string[] {
  const { want, name } = shape;
  const message = String(cells._error ?? '');
  const status = cells._status === 'ok' ? 'ok' : message.split(':', 1)[0];
  const value = want.outcome === 'ok' ? readValue(shape, cells) : undefined;
  const differences = [...findDifferences(shape, { status: status as 'ok', message, value })];
  const isAskedAgain = attempts > 1;
  if (want.askedAgain !== undefined && isAskedAgain !== want.askedAgain) differences.push(`asked ${attempts} times`);
  return differences.map((difference) => `${name}: ${difference}`);
}

function readValue({ want }: Shape, cells: Cells): unknown {
  if (typeof want.answer !== 'object' || Array.isArray(want.answer)) return cells.answer;
  return Object.fromEntries(Object.keys(want.answer as object).map((column) => [column, cells[column]]));
}
