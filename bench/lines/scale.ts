import { join } from 'node:path';
import type { Bench, BenchLine, Measured } from '../harness/line.ts';
import { runWholeJob } from '../whole-job.ts';

const SHARE = 1 / 10;
const MIB = 2 ** 20;

export const bench: Bench = {
  order: 4.5,
  heading: 'A whole job of many rows',
  introduction:
    'The same job with a tenth of the rows, with all of them, and with a tenth again: the cost per row must not grow, and memory grows only by the index. The provider is the simulator in another process. A run of all rows takes minutes, in which the speed of a machine can change by more than a tenth: it is held against the mean of the runs before and after it, memory against the one that took less.',
  rows: { full: 3_000_000, small: null },
  async measure({ rows, folder }) {
    const fewRows = Math.ceil(rows * SHARE);
    const before = await runWholeJob(join(folder, 'before'), fewRows);
    const all = await runWholeJob(join(folder, 'all'), rows);
    const after = await runWholeJob(join(folder, 'after'), fewRows);
    const line = (what: string, measured: Measured, count: number): BenchLine => ({
      what,
      measured,
      facts: `${count} rows, ${perRow(cpu(measured), count).toFixed(1)} µs CPU a row`,
    });
    const growth = (read: (measured: Measured) => number) => perRow(read(all), rows) / perRow((read(before) + read(after)) / 2, fewRows);
    const bytes = ((rss(all) - Math.min(rss(before), rss(after))) * MIB) / (rows - fewRows);
    return [
      line('rowmill run, a tenth of the rows', before, fewRows),
      {
        ...line('rowmill run, all rows', all, rows),
        figures: [
          { value: growth(cpu), of: 'x the CPU a row of a tenth', most: 1 },
          { value: growth(wall), of: 'x the wall time a row of a tenth', most: null },
          { value: bytes, of: 'bytes of memory more a distinct request', most: 64 },
        ],
      },
      line('rowmill run, a tenth of the rows again', after, fewRows),
    ];
  },
};

const cpu = ({ cpuSeconds }: Measured): number => cpuSeconds ?? 0;
const wall = ({ wallSeconds }: Measured): number => wallSeconds;
const rss = ({ peakRssMib }: Measured): number => peakRssMib ?? 0;

function perRow(seconds: number, rows: number): number {
  return (seconds * 1e6) / rows;
}
