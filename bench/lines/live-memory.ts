import type { Bench, BenchLine, Measured } from '../harness/line.ts';
import { onLiveStage, runLiveJob, sayPerRow } from '../live-jobs.ts';

const FEW_SHARE = 1 / 40;

export const bench: Bench = {
  order: 7,
  heading: 'Memory of the live lane',
  introduction:
    'Whole runs in one process, once with a fortieth of the rows and once with all of them: memory does not grow with the table.',
  rows: { full: 400_000, small: null },
  async measure({ rows }) {
    const fewRows = Math.ceil(rows * FEW_SHARE);
    const measure = (count: number): Promise<Measured> => onLiveStage(false, (stage) => runLiveJob(stage, count, { withWorker: false }));
    const [measuredFew, measuredMany] = [await measure(fewRows), await measure(rows)];
    const few: BenchLine = { what: 'few rows', measured: measuredFew, facts: `${fewRows} rows, ${sayPerRow(measuredFew, fewRows)}` };
    const growth = (measuredMany.peakRssMib ?? 0) / (measuredFew.peakRssMib ?? 1);
    return [
      few,
      {
        what: 'all rows',
        measured: measuredMany,
        figures: [{ value: growth, of: 'x the memory of few', most: 1.3 }],
        facts: `${rows} rows, ${sayPerRow(measuredMany, rows)}`,
      },
    ];
  },
};
