import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, BenchLine, Measured } from '../harness/line.ts';
import { COMMAND, measureBeside, runCommand, timeStarts } from '../harness/measure.ts';
import { writeBenchJob } from '../table-generator.ts';

const SHARE = 1 / 100;
/** The mean of so many looks: a single one is too short to be compared. */
const LOOKS = 10;

export const bench: Bench = {
  order: 6.55,
  heading: 'Looks at a large job',
  introduction:
    '`status` of a finished job, between two measurements of one with a hundredth of the rows: what a look costs must not grow with the table. It reads as much of either; a job of a million rows has twenty files of answers whose sizes it looks up, the smaller one a single file.',
  rows: { full: 1_000_000, small: null },
  async measure({ rows, folder }) {
    const lookAtFew = await makeFinished(join(folder, 'few'), Math.ceil(rows * SHARE));
    const lookAtMany = await makeFinished(join(folder, 'many'), rows);
    const { baseline, measured } = await measureBeside(lookAtFew, lookAtMany);
    const few: BenchLine = { what: 'status, a hundredth of the rows', measured: baseline };
    return [few, { what: 'status, all rows', measured, against: [{ line: few, mostCpu: 1.2 }] }];
  },
};

/** Runs a job of so many rows to its end. @returns what looks at it repeatedly */
async function makeFinished(folder: string, rows: number): Promise<() => Measured> {
  mkdirSync(folder);
  await writeBenchJob(folder, rows);
  const flags = ['job.yaml', '--simulate', '--json'];
  await runCommand(['run', ...flags, '--yes', '--progress', 'none'], { folder });
  const { stdout } = await runCommand(['status', ...flags], { folder });
  const { ok } = (JSON.parse(stdout) as { readonly rows: { readonly ok: number } }).rows;
  if (ok !== rows) throw new Error(`status: ${ok} of ${rows} rows are ok`);
  return () => timeStarts([process.execPath, COMMAND, 'status', ...flags], Array<string>(LOOKS).fill(folder), { HOME: folder });
}
