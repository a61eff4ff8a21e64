import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeBenchJob } from './bench-job.ts';
import { type Measured, readArgument } from './measure.ts';
import { printLines } from './result.ts';
import { generateTable } from './table-generator.ts';

/** Looks at a finished job: `status` as it is and with nothing to take, a run that finds nothing to do, each against `report` of the same job. */

const HOOK = new URL('./usage-hook.js', import.meta.url).href;
const COMMAND = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'rowmill-bench-'));
const rows = Number(readArgument('rows') ?? 100_000);

function runCommand(name: string, flags: readonly string[] = []): Measured {
  const usage = join(folder, 'usage.json');
  const args = ['--import', HOOK, COMMAND, name, join(folder, 'job.yaml'), '--simulate', '--json', ...flags];
  const startedAt = process.hrtime.bigint();
  const child = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, BENCH_USAGE: usage },
  });
  if (child.status !== 0) throw new Error(`${name} ended with ${child.status}`);
  const wallSeconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
  const told = JSON.parse(readFileSync(usage, 'utf8')) as Pick<Measured, 'cpuSeconds' | 'peakRssMib'>;
  return { wallSeconds, ...told, facts: { rows: JSON.parse(child.stdout).rows.ok } };
}

await generateTable(join(folder, 'table.csv'), rows);
writeBenchJob(folder);
try {
  runCommand('run', ['--yes', '--progress', 'none']);
  const before = runCommand('report');
  const status = runCommand('status');
  const after = runCommand('report');
  const again = runCommand('run', ['--yes', '--progress', 'none']);
  rmSync(join(folder, '.rowmill', 'bench@simulator', 'status.json'));
  const full = runCommand('status');
  const reportCpuSeconds = ((before.cpuSeconds ?? 0) + (after.cpuSeconds ?? 0)) / 2;
  const line = (what: string, measured: Measured, limit: number | null) => ({
    what,
    measured,
    ratio: limit === null ? null : { value: (measured.cpuSeconds ?? 0) / reportCpuSeconds, of: 'CPU', limit },
    rssLimitMib: null,
    facts: `${measured.facts.rows} rows`,
  });
  printLines([
    line('report of a finished job', { ...before, cpuSeconds: reportCpuSeconds }, null),
    line('status of it', status, 1.5),
    line('status of it, with nothing to take: table and answers are read', full, 30),
    line('the run again: nothing to do', again, 30),
  ]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
