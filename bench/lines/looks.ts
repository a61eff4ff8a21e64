import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, BenchLine, Measured } from '../harness/line.ts';
import { runCommand } from '../harness/measure.ts';
import { writeBenchJob } from '../table-generator.ts';

export const bench: Bench = {
  order: 6.5,
  heading: 'Looks',
  introduction:
    '`status` of a finished job compared with `report`, which is measured before and after: as it is, without the file the run leaves for it (so that table and answers are read), and a run that finds nothing to do.',
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
    const cpuSeconds = ((before.cpuSeconds ?? 0) + (after.cpuSeconds ?? 0)) / 2;
    const report: BenchLine = { what: 'report of a finished job', measured: { ...before, cpuSeconds } };
    return [
      report,
      { what: 'status of it', measured: status, against: [{ line: report, mostCpu: 1.5 }] },
      { what: 'status of it, with nothing to take', measured: full, against: [{ line: report }] },
      { what: 'the run again: nothing to do', measured: again, against: [{ line: report }] },
    ];
  },
};
