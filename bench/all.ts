import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { BenchLine } from './result.ts';

/** Runs every bench and writes docs/benchmarks.md. `--rows 20000` makes it small; a small run only prints. */

const FULL_ROWS = 1_000_000;

const { values } = parseArgs({ options: { rows: { type: 'string', default: String(FULL_ROWS) } } });
const rows = Number(values.rows);

function bench(name: string, benchRows: number): readonly BenchLine[] {
  const file = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
  const child = spawnSync(process.execPath, [file, `--rows=${benchRows}`], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (child.status !== 0) throw new Error(`bench ${name} ended with ${child.status}`);
  return JSON.parse(child.stdout.trim().split('\n').at(-1) as string) as BenchLine[];
}

function renderLine({ what, measured, ratio, rssLimitMib, facts }: BenchLine): string {
  const ratioText = ratio === null ? '' : `${ratio.value.toFixed(2)}x ${ratio.of} (at most ${ratio.limit})`;
  const rssText =
    measured.peakRssMib === null ? '' : `${measured.peakRssMib.toFixed(0)} MiB${rssLimitMib === null ? '' : ` (at most ${rssLimitMib})`}`;
  return `| ${what} | ${measured.wallSeconds.toFixed(1)} s | ${measured.cpuSeconds?.toFixed(1) ?? '–'} s | ${ratioText} | ${rssText} | ${facts} |`;
}

function renderVersion(tool: string): string {
  const { status, stdout } = spawnSync(tool, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : 'not installed';
}

const lines = [...bench('pack', rows), ...bench('reconcile', rows), ...bench('job', Math.ceil(rows / 5))];
const text = `# Benchmarks

Written by \`npm run bench\`. Every ratio is of two measurements of the same run on the same machine; absolute times differ from machine to machine.
Table: ${rows} rows of about 500 bytes from a seeded generator (a fifth of them for the whole job). Node ${process.version}; mlr: ${renderVersion('mlr')}; jq: ${renderVersion('jq')}.

| what | wall | cpu | against the baseline above it | peak memory | facts |
|---|---|---|---|---|---|
${lines.map(renderLine).join('\n')}
`;
process.stdout.write(text);
if (rows === FULL_ROWS) writeFileSync('docs/benchmarks.md', text);
const failed = lines.filter(
  ({ measured, ratio, rssLimitMib }) =>
    (ratio !== null && ratio.value > ratio.limit) || (rssLimitMib !== null && (measured.peakRssMib ?? 0) > rssLimitMib),
);
for (const { what } of failed) console.error(`over its limit: ${what}`);
if (rows === FULL_ROWS && failed.length > 0) process.exitCode = 1;
