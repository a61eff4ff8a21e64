import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Summary } from '../../src/core/summary.ts';
import type { Bench, BenchLine, Measured } from '../harness/line.ts';
import { runCommand } from '../harness/measure.ts';
import { startProvider } from '../provider.ts';
import { writeBenchJob } from '../table-generator.ts';

const SHARE = 1 / 10;
const MIB = 2 ** 20;

export const bench: Bench = {
  order: 4.5,
  heading: 'A whole job of many rows',
  introduction:
    'The same job with a tenth of the rows and with all of them: the cost per row must not grow, and memory grows only by the index. The provider is the simulator in another process.',
  rows: { full: 3_000_000, small: null },
  async measure({ rows, folder }) {
    const fewRows = Math.ceil(rows * SHARE);
    const [few, many] = [await runJob(join(folder, 'few'), fewRows), await runJob(join(folder, 'many'), rows)];
    const perRow = ({ cpuSeconds }: Measured, count: number) => ((cpuSeconds ?? 0) * 1e6) / count;
    const line = (what: string, measured: Measured, count: number): BenchLine => ({
      what,
      measured,
      facts: `${count} rows, ${perRow(measured, count).toFixed(1)} µs CPU a row`,
    });
    const bytes = (((many.peakRssMib ?? 0) - (few.peakRssMib ?? 0)) * MIB) / (rows - fewRows);
    return [
      line('rowmill run, a tenth of the rows', few, fewRows),
      {
        ...line('rowmill run, all rows', many, rows),
        figures: [
          { value: perRow(many, rows) / perRow(few, fewRows), of: 'x the CPU a row of a tenth', most: 1 },
          { value: many.wallSeconds / rows / (few.wallSeconds / fewRows), of: 'x the wall time a row of a tenth', most: null },
          { value: bytes, of: 'bytes of memory more a distinct request', most: 64 },
        ],
      },
    ];
  },
};

async function runJob(folder: string, rows: number): Promise<Measured> {
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
