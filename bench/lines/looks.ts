import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Status } from '../../src/inspect/status.ts';
import type { Bench, BenchLine, Measured } from '../harness/line.ts';
import { COMMAND, runCommand } from '../harness/measure.ts';
import { startProvider } from '../provider.ts';
import { writeBenchJob } from '../table-generator.ts';

/** The batches of the running job are not done before it has been looked at. */
const BATCH_SECONDS = 3_600;
const LOOK_MS = 1_000;

export const bench: Bench = {
  order: 6.5,
  heading: 'Looks',
  introduction:
    '`status` of a finished job, compared with `report`, which is measured before and after; the same without the file that the run leaves for it, so that table and answers have to be read; and a run that finds nothing to do. The running job has the same number of rows, all of them in batches that it waits for.',
  rows: { full: 100_000, small: 5_000 },
  async measure({ rows, folder }) {
    await writeBenchJob(folder, rows);
    const runOn = async (name: string, flags: readonly string[] = []): Promise<Measured> => {
      const { measured, stdout } = await runCommand([name, 'job.yaml', '--simulate', '--json', ...flags], { folder });
      const { ok } = (JSON.parse(stdout) as { readonly rows: { readonly ok: number } }).rows;
      if (ok !== rows) throw new Error(`${name}: ${ok} of ${rows} rows are ok`);
      return measured;
    };
    await runOn('run', ['--yes', '--progress', 'none']);
    const before = await runOn('report');
    const status = await runOn('status');
    const after = await runOn('report');
    const again = await runOn('run', ['--yes', '--progress', 'none']);
    rmSync(join(folder, '.rowmill', 'bench@simulator', 'status.json'));
    const full = await runOn('status');
    const running = await lookAtRunning(join(folder, 'running'), rows);
    const cpuSeconds = ((before.cpuSeconds ?? 0) + (after.cpuSeconds ?? 0)) / 2;
    const report: BenchLine = { what: 'report of a finished job', measured: { ...before, cpuSeconds } };
    return [
      report,
      { what: 'status of it', measured: status, against: [{ line: report, mostCpu: 1.5 }] },
      { what: 'status of a running job', measured: running, against: [{ line: report, mostCpu: 1.5 }] },
      { what: 'status of it, with nothing to take', measured: full, against: [{ line: report }] },
      { what: 'the run again: nothing to do', measured: again, against: [{ line: report }] },
    ];
  },
};

/** Of a job whose rows have all been sent, beside the process that waits for its batches. */
async function lookAtRunning(folder: string, rows: number): Promise<Measured> {
  mkdirSync(folder);
  await writeBenchJob(folder, rows);
  const provider = await startProvider(folder, ['--batch-seconds', String(BATCH_SECONDS)]);
  const run = spawn(process.execPath, [COMMAND, 'run', 'job.yaml', '--base-url', provider.url, '--yes', '--progress', 'none'], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder, OPENAI_API_KEY: 'sk-bench' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(run, 'exit');
  try {
    const root = join(folder, '.rowmill');
    const hasBegun = () => existsSync(root) && readdirSync(root).some((name) => existsSync(join(root, name, 'status.json')));
    while (run.exitCode === null && !hasBegun()) await delay(LOOK_MS);
    for (;;) {
      const { measured, stdout } = await runCommand(['status', 'job.yaml', '--base-url', provider.url, '--json'], { folder });
      if (run.exitCode !== null) throw new Error(`the run ended with ${run.exitCode} before it was looked at`);
      const { run: shown, rows: counts } = JSON.parse(stdout) as Status;
      if (shown?.runner != null && counts.inFlight === rows) return measured;
      await delay(LOOK_MS);
    }
  } finally {
    run.kill('SIGKILL');
    await ended;
    await provider.stop();
    rmSync(folder, { recursive: true });
  }
}
