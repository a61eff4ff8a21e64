import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeSection } from './benchmarks-page.ts';
import { keepPassage, makePassage, type Passage, readFigures } from './harness/figures.ts';
import { findBroken, findWorse } from './harness/judge.ts';
import type { Bench } from './harness/line.ts';
import { runPartInProcess } from './harness/measure.ts';
import { renderPassage, renderSection } from './harness/section.ts';

/**
 * Runs the benches of bench/lines, each in ten minutes or less, and writes their sections of docs/benchmarks.md; ends with 1 where a limit is broken.
 *   --only plan,job   these alone
 *   --small           the small size, which becomes the page's
 *   --check           the small size, held against the page's; writes nothing
 *   --render          measures nothing: writes the page anew from the figures that are kept
 *   --rows 20000      another size; only prints, unless --write makes it the page's, which says so
 */

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rows: { type: 'string' },
    small: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    render: { type: 'boolean', default: false },
  },
});

const all = await Promise.all(
  readdirSync(new URL('./lines/', import.meta.url))
    .filter((name) => name.endsWith('.js'))
    .map(loadBench),
);
const names = values.only?.split(',') ?? null;
for (const name of names ?? []) {
  if (!all.some((bench) => bench.name === name))
    throw new Error(`no bench ${name}: there are ${all.map((bench) => bench.name).join(', ')}`);
}
const chosen = all.filter(({ name }) => names === null || names.includes(name)).toSorted((a, b) => a.bench.order - b.bench.order);

for (const { name, bench } of chosen) {
  if (values.render) {
    showOnPage(name, bench);
    continue;
  }
  const isSmall = values.small || values.check;
  const rows = values.rows === undefined ? (isSmall ? bench.rows.small : bench.rows.full) : Number(values.rows);
  if (rows === null) continue;
  const passage = await runBench(name, bench, rows);
  console.log(`## ${bench.heading}, ${rows} rows\n\n${renderPassage(bench, passage)}\n`);
  if (values.check) await check(name, bench, passage);
  else if (values.rows === undefined || values.write) keep(name, bench, passage);
}

async function loadBench(file: string): Promise<{ name: string; bench: Bench }> {
  const { bench } = (await import(`./lines/${file}`)) as { bench: Bench };
  return { name: file.slice(0, -'.js'.length), bench };
}

async function runBench(name: string, bench: Bench, rows: number): Promise<Passage> {
  const folder = mkdtempSync(join(tmpdir(), 'rowmill-bench-'));
  try {
    return await makePassage(rows, () => bench.measure({ rows, folder, runPart: (part) => runPartInProcess(name, part, folder, rows) }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function keep(name: string, bench: Bench, passage: Passage): void {
  keepPassage(name, values.small ? 'small' : 'full', passage);
  showOnPage(name, bench);
  if (!values.small) tell(findBroken(passage));
}

function showOnPage(name: string, bench: Bench): void {
  const { full, small } = readFigures()[name] ?? {};
  if (full !== undefined) writeSection(bench.heading, renderSection(name, bench, full, small ?? null));
}

/** A second try tells what is slower from a machine that was busy for a moment. */
async function check(name: string, bench: Bench, passage: Passage): Promise<void> {
  const shown = readFigures()[name]?.small;
  if (shown === undefined) return console.error(`${name}: the page has no figures of the small size yet, nothing is compared`);
  if (findWorse(passage, shown).length === 0) return;
  tell(findWorse(await runBench(name, bench, passage.rows), shown));
}

function tell(broken: readonly string[]): void {
  for (const line of broken) console.error(line);
  if (broken.length > 0) process.exitCode = 1;
}
