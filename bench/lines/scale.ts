import { join } from 'node:path';
import type { Bench, BenchLine, Measured } from '../harness/line.ts';
import { measureBeside } from '../harness/measure.ts';
import { runWholeJob } from '../whole-job.ts';

const SHARE = 1 / 10;
const MIB = 2 ** 20;

export const bench: Bench = {
  order: 4.5,
  heading: 'A whole job of many rows',
  introduction:
    'The same job with all of the rows, and with a tenth of them before and after: the cost per row must not grow, and memory grows only by the index. The provider is the simulator in another process. All rows take minutes, in which the speed of a machine can change by more than a tenth: of the two runs of a tenth the mean counts, and of their memory the less.',
  rows: { full: 3_000_000, small: null },
  async measure({ rows, folder }) {
    const fewRows = Math.ceil(rows * SHARE);
    const run = (count: number) => runWholeJob(join(folder, 'job'), count);
    const { baseline: few, measured: many } = await measureBeside(
      () => run(fewRows),
      () => run(rows),
    );
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
