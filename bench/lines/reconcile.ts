import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench, BenchLine, Measured } from '../harness/line.ts';
import { measureBeside } from '../harness/measure.ts';
import { writeBenchJob } from '../table-generator.ts';

const BUNDLED = ['reconcile-floor', 'reconcile-table'];

/** Bundles them, and what they use, in the way of what ships. */
async function bundleParts(): Promise<Readonly<Record<string, number>>> {
  const { bundleApart } = await import(new URL('../../../scripts/bundle.mjs', import.meta.url).href);
  const entries = Object.fromEntries(BUNDLED.map((name) => [name, `bench/${name}.ts`]));
  await bundleApart(entries, fileURLToPath(new URL('../bundled', import.meta.url)));
  return { modules: BUNDLED.length };
}

function loadBundled<T>(name: string): T {
  return createRequire(import.meta.url)(`../bundled/${name}.cjs`) as T;
}

type Parts = NonNullable<Bench['parts']>;

const PARTS: Parts = {
  bundle: bundleParts,
  pack: async (folder) => (await import('../pack-table.ts')).packTable(folder),
  answers: async (folder) => (await import('../write-answers.ts')).writeAnswers(folder),
  floor: async (folder) => loadBundled<typeof import('../reconcile-floor.ts')>('reconcile-floor').joinPlainly(folder),
  bare: async (folder) => (await import('../answers-baseline.ts')).readAnswers(folder),
  reconcile: async (folder) => loadBundled<typeof import('../reconcile-table.ts')>('reconcile-table').reconcileTable(folder),
  open: async (folder) => loadBundled<typeof import('../reconcile-table.ts')>('reconcile-table').openSettled(folder),
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
The floor is the minimum that could do the job, with the fastest parts available, no checks and nothing that survives a crash: every output file is read and hashed once, every line and the answer in it is parsed once, all answers are held in memory; the table is read once, joined by row, written with all columns, hashed and synced. It is given which answer belongs to which row; reconciling has the keys of the rows from the process that planned the table (the file \`keys\`), and reads the table once more to know by its hash that they are still right. Both are bundled in the way of what ships, without keeping compiled code (measured as single modules, until 2026-11-30, the start took 0.7 s more).
Where the CPU goes, by samples of all threads (perf, 200,000 rows, 2026-11-30, load 1), in hundredths of all that the floor takes, ours and the floor's: strings and other native code of V8 41 and 30, our own code 26 and 8, the kernel 19 and 15, JSON and its table of strings 18 and 13, optimizing our code in threads beside 14 and 3, garbage collection 12 and 13, built-in functions 11 and 11, hashes 7 and 4, copies and searches in memory 7 and 2, parsing our code 3 and 1.
What reconciling does beyond it: every answer is checked by the job's schema and for what JSON.parse would silently change, a record of each line is written, with a checksum, and read back in the order of the table, so that memory does not grow with the answers; every event is synced before it counts; costs, summary and report are added up row by row. It makes 13 kB of objects a row, the floor 6.
The fewer the rows, the more of it is start and code that is not optimized yet: of ten rows all of it. Of 200,000 rows (2026-11-30, three times each in turn, load 1) reconciling takes 6.8 s of CPU and 153 MiB, 1.59 times the floor's 4.2 s: of a million, the answers that the floor holds in memory, 0.7 to 1.7 GiB, cost it collections too.`,
  rows: { full: 1_000_000, small: 30_000 },
  parts: { ...PARTS, ...OF_FEW },
  async measure({ rows, folder, runPart }) {
    runPart('bundle');
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
