import { join } from 'node:path';
import type { Bench } from '../harness/line.ts';
import { runWholeJob } from '../whole-job.ts';

export const bench: Bench = {
  order: 4.2,
  heading: 'The memory of a whole job',
  introduction: 'The same job with a million rows. The provider is the simulator in another process.',
  rows: { full: 1_000_000, small: null },
  async measure({ rows, folder }) {
    const measured = await runWholeJob(join(folder, 'job'), rows);
    return [{ what: 'rowmill run', measured, mostRssMib: 250, facts: `${rows} rows` }];
  },
};
