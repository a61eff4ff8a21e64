import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Figures, type KeptLine, makePassage, type Passage } from '../bench/harness/figures.ts';
import { findBroken, findWorse } from '../bench/harness/judge.ts';
import type { Bench, BenchLine } from '../bench/harness/line.ts';
import { renderPassage, renderSection } from '../bench/harness/section.ts';
import { projectRoot } from './helpers/project-root.ts';

const figures = JSON.parse(readFileSync(join(projectRoot, 'docs', 'benchmarks.json'), 'utf8')) as Figures;
const page = readFileSync(join(projectRoot, 'docs', 'benchmarks.md'), 'utf8');
const lines = new URL('../bench/lines/', import.meta.url);
const names = readdirSync(lines)
  .filter((name) => name.endsWith('.js'))
  .map((name) => name.slice(0, -'.js'.length));

test('the page of benchmarks shows the recorded figures, and no others', async () => {
  for (const name of names) {
    const { bench } = (await import(new URL(`${name}.js`, lines).href)) as { bench: Bench };
    const { full, small } = figures[name] ?? {};
    const section = full && `## ${bench.heading}\n\n${renderSection(name, bench, full, small ?? null)}\n`;
    if (section === undefined) assert.ok(!page.includes(`## ${bench.heading}\n`), `${bench.heading} stands on the page without figures`);
    else assert.ok(page.includes(section), `${bench.heading} is not what docs/benchmarks.json says: run npm run bench -- --only ${name}`);
  }
});

const bare: BenchLine = { what: 'bare', measured: { wallSeconds: 2, cpuSeconds: 1, peakRssMib: 50, facts: {} } };

function makeLines(cpuSeconds: number): readonly BenchLine[] {
  const measured = { wallSeconds: 3, cpuSeconds, peakRssMib: 200, facts: {} };
  return [
    bare,
    { what: 'ours', measured, against: [{ line: bare, mostCpu: 2 }], mostRssMib: 150, figures: [{ value: 3, of: 'ms', most: 2 }] },
  ];
}

test('a line shows CPU and wall time against its baseline, and marks what is above its limit', async () => {
  const passage = await makePassage(10, async () => makeLines(2.5));
  assert.deepEqual(passage.lines[1]?.against, [{ what: 'bare', cpu: 2.5, wall: 1.5, mostCpu: 2 }] satisfies KeptLine['against']);
  assert.deepEqual(findBroken(passage), [
    'ours: 2.5 x the CPU of "bare", at most 2',
    'ours: 200 MiB, at most 150',
    'ours: 3 ms, at most 2',
  ]);
  for (const figure of ['2.50 x (at most 2', '200 MiB (at most 150', '3 ms (at most 2'])
    assert.ok(renderPassage({}, passage).includes(`${figure}: **missed**)`), figure);
});

test('a small size fails if its CPU ratio is more than 1.5 times the one on the page', async () => {
  const at = (cpuSeconds: number): Promise<Passage> => makePassage(10, async () => makeLines(cpuSeconds));
  assert.deepEqual(findWorse(await at(2.9), await at(2)), []);
  assert.deepEqual(findWorse(await at(3.1), await at(2)), ['ours: 3.1 x the CPU of "bare", where the page says 2']);
  assert.deepEqual(findWorse(await at(9), await makePassage(10, async () => [bare])), []);
});

test('figures with a column of their own stand there with what they must be, and one that is too low is a limit missed', async () => {
  const measured = { wallSeconds: 101, cpuSeconds: null, peakRssMib: null, facts: {} };
  const figures = [
    { value: 94, of: '% used', most: null, least: 95 },
    { value: 0, of: '% refused', most: 0.5 },
  ];
  const passage = await makePassage(10, async () => [{ what: 'run', measured, figures, facts: 'two workers' }]);
  assert.deepEqual(findBroken(passage), ['run: 94 % used, at least 95']);
  const [header, , line] = renderPassage({ columns: ['% used', '% refused', 'ms to the first call'] }, passage).split('\n');
  assert.equal(header, '| what | % used | % refused | ms to the first call | took | besides |');
  assert.equal(line, '| run | 94 (at least 95: **missed**) | 0 (at most 0.5) |  | 101.0 s | two workers |');
});
