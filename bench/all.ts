import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { renderTable, writeSection } from './benchmarks-page.ts';
import type { BenchLine } from './result.ts';

/** Runs every bench and writes its sections of docs/benchmarks.md. `--rows 20000` makes it small; a small run only prints. `--only live` runs one lane's. */

const FULL_ROWS = 1_000_000;

const { values } = parseArgs({ options: { rows: { type: 'string', default: String(FULL_ROWS) }, only: { type: 'string' } } });
const rows = Number(values.rows);

function bench(name: string, benchRows: number): readonly BenchLine[] {
  const file = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
  const child = spawnSync(process.execPath, [file, `--rows=${benchRows}`], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (child.status !== 0) throw new Error(`bench ${name} ended with ${child.status}`);
  return JSON.parse(child.stdout.trim().split('\n').at(-1) as string) as BenchLine[];
}

function renderLine({ what, measured, ratio, rssLimitMib, facts }: BenchLine): readonly string[] {
  const ratioText = ratio === null ? '' : `${ratio.value.toFixed(2)}${ratio.unit ?? 'x'} ${ratio.of} (at most ${ratio.limit})`;
  const rssText =
    measured.peakRssMib === null ? '' : `${measured.peakRssMib.toFixed(0)} MiB${rssLimitMib === null ? '' : ` (at most ${rssLimitMib})`}`;
  return [what, `${measured.wallSeconds.toFixed(1)} s`, `${measured.cpuSeconds?.toFixed(1) ?? '–'} s`, ratioText, rssText, facts];
}

function renderVersion(tool: string): string {
  const { status, stdout } = spawnSync(tool, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : 'not installed';
}

function isOver({ measured, ratio, rssLimitMib }: BenchLine): boolean {
  return (ratio !== null && ratio.value > ratio.limit) || (rssLimitMib !== null && (measured.peakRssMib ?? 0) > rssLimitMib);
}

/** Benches of one section: it is written when the run is a full one. */
function runSection(heading: string, introduction: string, work: () => readonly BenchLine[]): void {
  const lines = work();
  const header = ['what', 'wall', 'cpu', 'against the baseline above it', 'peak memory', 'facts'];
  const text = `Written by \`npm run bench\`.\n${introduction}\n\n${renderTable(header, lines.map(renderLine))}`;
  process.stdout.write(`## ${heading}\n\n${text}\n\n`);
  if (rows === FULL_ROWS) writeSection(heading, text);
  for (const { what } of lines.filter(isOver)) {
    console.error(`over its limit: ${what}`);
    if (rows === FULL_ROWS) process.exitCode = 1;
  }
}

if (values.only !== 'live') {
  runSection(
    'Tables and the batch lane',
    `Table: ${rows} rows of about 500 bytes from a seeded generator (a fifth of them for the whole job). Each baseline is the mean of its runs before and after what is measured against it. Node ${process.version}; mlr: ${renderVersion('mlr')}; jq: ${renderVersion('jq')}.`,
    () => [...bench('plan', rows), ...bench('pack', rows), ...bench('reconcile', rows), ...bench('job', Math.ceil(rows / 5))],
  );
}
if (values.only !== 'batch') {
  runSection(
    'Calls of the live lane',
    `${rows / 2} rows at most, against a simulator in another process that answers after 50 ms. Cpu is that of the named processes together, without the provider and Redis. Node ${process.version}.`,
    () => bench('live', Math.ceil(rows / 2)),
  );
}
