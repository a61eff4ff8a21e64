import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Summary } from '../../src/core/summary.ts';
import type { Bench, BenchLine } from '../harness/line.ts';
import { measureBeside, runCommand } from '../harness/measure.ts';
import { startProvider } from '../provider.ts';
import { writeBenchJob } from '../table-generator.ts';

export const bench: Bench = {
  order: 4,
  heading: 'A whole job',
  introduction:
    'One job through the command line, from the table to the table with answers, compared with the script most people write: chunk the table into batches, submit, wait, join by row number, write. The script uses the client alone, and nothing of it survives a crash. The provider is the simulator in another process, whose time is not counted.',
  rows: { full: 200_000, small: 20_000 },
  parts: {
    async plain(folder) {
      const { runPlainScript } = await import('../plain-script.ts');
      return runPlainScript(folder, readFileSync(join(folder, 'provider.url'), 'utf8'));
    },
  },
  async measure({ rows, folder, runPart }) {
    await writeBenchJob(folder, rows);
    const provider = await startProvider(folder);
    writeFileSync(join(folder, 'provider.url'), provider.url);
    try {
      const { baseline, measured } = await measureBeside(
        () => runPart('plain'),
        () => runCommand(['run', 'job.yaml', '--base-url', provider.url, '--yes', '--json', '--progress', 'none'], { folder }),
      );
      const { ok } = (JSON.parse(measured.stdout) as Summary).rows;
      if (ok !== rows) throw new Error(`${ok} of ${rows} rows are ok`);
      const plain: BenchLine = { what: 'the plain chunked script', measured: baseline };
      return [plain, { what: 'rowmill run', measured: measured.measured, against: [{ line: plain, mostCpu: 1.6 }], mostRssMib: 250 }];
    } finally {
      await provider.stop();
    }
  },
};
