import { join } from 'node:path';
import type { Bench, BenchLine, Measured } from '../harness/line.ts';
import { runWholeJob } from '../whole-job.ts';

const SHARE = 1 / 10;
const MIB = 2 ** 20;

export const bench: Bench = {
  order: 4.5,
  heading: 'A whole job of many rows',
  introduction:
    'The same job with a tenth of the rows and with all of them: the cost per row must not grow, and memory grows only by the index. The provider is the simulator in another process. Each was run once, minutes apart, on a machine whose speed changes by more than a tenth meanwhile: on 2026-11-30 three runs gave 0.87, 1.03 and 1.18 times the CPU a row.',
  rows: { full: 3_000_000, small: null },
  async measure({ rows, folder }) {
    const fewRows = Math.ceil(rows * SHARE);
    const [few, many] = [await runWholeJob(join(folder, 'few'), fewRows), await runWholeJob(join(folder, 'many'), rows)];
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
