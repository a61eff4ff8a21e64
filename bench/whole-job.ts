import { mkdirSync, rmSync } from 'node:fs';
import type { Summary } from '../src/core/summary.ts';
import type { Measured } from './harness/line.ts';
import { runCommand } from './harness/measure.ts';
import { startProvider } from './provider.ts';
import { writeBenchJob } from './table-generator.ts';

/** A job from its table to the table with answers, through the command line. @param folder is made for it, and removed */
export async function runWholeJob(folder: string, rows: number): Promise<Measured> {
  mkdirSync(folder);
  await writeBenchJob(folder, rows);
  const provider = await startProvider(folder);
  try {
    const args = ['run', 'job.yaml', '--base-url', provider.url, '--yes', '--json', '--progress', 'none'];
    const { measured, stdout } = await runCommand(args, { folder });
    const { ok } = (JSON.parse(stdout) as Summary).rows;
    if (ok !== rows) throw new Error(`${ok} of ${rows} rows are ok`);
    return measured;
  } finally {
    await provider.stop();
    rmSync(folder, { recursive: true });
  }
}
