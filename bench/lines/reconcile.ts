import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, BenchLine, Measured } from '../harness/line.ts';
import { measureBeside } from '../harness/measure.ts';
import { writeBenchJob } from '../table-generator.ts';

type Parts = NonNullable<Bench['parts']>;

const PARTS: Parts = {
  pack: async (folder) => (await import('../pack-table.ts')).packTable(folder),
  answers: async (folder) => (await import('../write-answers.ts')).writeAnswers(folder),
  floor: async (folder) => (await import('../reconcile-floor.ts')).joinPlainly(folder),
  bare: async (folder) => (await import('../answers-baseline.ts')).readAnswers(folder),
  reconcile: async (folder) => (await import('../reconcile-table.ts')).reconcileTable(folder),
  open: async (folder) => (await import('../reconcile-table.ts')).openSettled(folder),
};
/** The time for these rows is the start of a process, not the table. */
const FEW_ROWS = 10;
const FEW = 'few';
const OF_FEW: Parts = Object.fromEntries(
  Object.entries(PARTS).map(([name, work]) => [`${name}-${FEW}`, (folder: string, rows: number) => work(join(folder, FEW), rows)]),
);

export const bench: Bench = {
  order: 3,
  heading: 'Reconcile',
  introduction: `Output files, made beforehand in shuffled order, stand in for a download: every line is judged and recorded, the table is joined and written, and the books are checked.
The floor is the minimum that could do the job, with the fastest parts available, no checks and nothing that survives a crash: every output file is read and hashed once, every line and the answer in it is parsed once, all answers are held in memory; the table is read once, joined by row, written with all columns, hashed and synced. It is given which answer belongs to which row; reconciling, in a process that has not planned the table, has to render and hash each row to find out (12 % of it; a run that continues in the process that planned does not). Since 2026-11-29, when it was 1.79 times the floor, no file keeps the parsed rows between processes: that made planning cheaper and reconciling more expensive.
What reconciling does beyond the floor, as shares of a profile of 200,000 rows (2026-11-30): recording each line, with its index and sums (11 %), judging each parsed answer (8 %), garbage collection (8 %), reading the records back in the order of the table (7 %), events and keys of the state (6 %), modules and the job's schema (5 %), each row's part of the summary and the report (5 %), and optimizing the code meanwhile (10 %, in other threads).
The fewer the rows, the larger the share of the start and of code that is not optimized yet: 1.1 s of CPU for ten rows; from there 0.13 ms per row up to 30,000 rows, and 0.1 ms up to 200,000 (2026-11-30, load 15; the floor takes 0.04 ms).`,
  rows: { full: 1_000_000, small: 30_000 },
  parts: { ...PARTS, ...OF_FEW },
  async measure({ rows, folder, runPart }) {
    await writeBenchJob(folder, rows);
    runPart('pack');
    runPart('answers');
    const measuredBare = runPart('bare');
    const { baseline, measured: reconciled } = await measureBeside(
      () => runPart('floor'),
      () => runPart('reconcile'),
    );
    const opened = runPart('open');
    mkdirSync(join(folder, FEW));
    await writeBenchJob(join(folder, FEW), FEW_ROWS);
    for (const name of ['pack', 'answers']) runPart(`${name}-${FEW}`);
    const few = await measureBeside(
      () => runPart(`floor-${FEW}`),
      () => runPart(`reconcile-${FEW}`),
    );
    const grown = (all: Measured, start: Measured) => (all.cpuSeconds ?? 0) - (start.cpuSeconds ?? 0);
    const bare: BenchLine = {
      what: 'csv-parse, and JSON.parse of every response line',
      measured: measuredBare,
      facts: `${measuredBare.facts.answers} lines`,
    };
    const floor: BenchLine = { what: 'the floor', measured: baseline, facts: `${baseline.facts.rows} rows` };
    const floorOfFew: BenchLine = { what: `the floor of ${FEW_ROWS} rows`, measured: few.baseline };
    return [
      bare,
      floor,
      {
        what: 'reconcile: judge, record, join, write the table',
        measured: reconciled,
        against: [{ line: bare }, { line: floor, mostCpu: 1.6 }],
        figures: [
          {
            value: grown(reconciled, few.measured) / grown(baseline, few.baseline),
            of: 'x the floor, the start of both left out',
            most: null,
          },
        ],
        mostRssMib: 250,
        facts: `${reconciled.facts.ok} rows ok`,
      },
      floorOfFew,
      {
        what: `reconcile of ${FEW_ROWS} rows: modules, the job's schema, the state`,
        measured: few.measured,
        against: [{ line: floorOfFew }],
      },
      { what: 'open the settled ledger', measured: opened, mostRssMib: 250, facts: `${opened.facts.requests} requests` },
    ];
  },
};
