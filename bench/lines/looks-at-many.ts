import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, BenchLine, Measured } from '../harness/line.ts';
import { COMMAND, runCommand, timeStarts } from '../harness/measure.ts';
import { writeBenchJob } from '../table-generator.ts';

const SHARE = 1 / 100;
/** The mean of so many looks: a single one is too short to be compared. */
const LOOKS = 10;

export const bench: Bench = {
  order: 6.55,
  heading: 'Looks at a large job',
  introduction: '`status` of a finished job, and of one with a hundredth of the rows: what a look costs must not grow with the table.',
  rows: { full: 1_000_000, small: null },
  async measure({ rows, folder }) {
    const few: BenchLine = {
      what: 'status, a hundredth of the rows',
      measured: await lookAt(join(folder, 'few'), Math.ceil(rows * SHARE)),
    };
    const many = await lookAt(join(folder, 'many'), rows);
    return [few, { what: 'status, all rows', measured: many, against: [{ line: few, mostCpu: 1.2 }] }];
  },
};

async function lookAt(folder: string, rows: number): Promise<Measured> {
  mkdirSync(folder);
  await writeBenchJob(folder, rows);
  const flags = ['job.yaml', '--simulate', '--json'];
  await runCommand(['run', ...flags, '--yes', '--progress', 'none'], { folder });
  const { stdout } = await runCommand(['status', ...flags], { folder });
  const { ok } = (JSON.parse(stdout) as { readonly rows: { readonly ok: number } }).rows;
  if (ok !== rows) throw new Error(`status: ${ok} of ${rows} rows are ok`);
  const measured = timeStarts([process.execPath, COMMAND, 'status', ...flags], Array<string>(LOOKS).fill(folder), { HOME: folder });
  rmSync(folder, { recursive: true });
  return measured;
}
