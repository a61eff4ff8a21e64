import type { Bench, BenchLine } from '../harness/line.ts';
import { measureBeside } from '../harness/measure.ts';
import { writeBenchJob } from '../table-generator.ts';

export const bench: Bench = {
  order: 3,
  heading: 'Reconcile',
  introduction:
    'Downloaded output files, made beforehand in shuffled order: every line judged and recorded, the table joined and written, the books checked.',
  rows: { full: 1_000_000, small: 50_000 },
  parts: {
    pack: async (folder) => (await import('../pack-table.ts')).packTable(folder),
    answers: async (folder) => (await import('../write-answers.ts')).writeAnswers(folder),
    floor: async (folder) => (await import('../reconcile-floor.ts')).joinPlainly(folder),
    bare: async (folder) => (await import('../answers-baseline.ts')).readAnswers(folder),
    reconcile: async (folder) => (await import('../reconcile-table.ts')).reconcileTable(folder),
    open: async (folder) => (await import('../reconcile-table.ts')).openSettled(folder),
  },
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
    const bare: BenchLine = {
      what: 'csv-parse, and JSON.parse of every response line',
      measured: measuredBare,
      facts: `${measuredBare.facts.answers} lines`,
    };
    const floor: BenchLine = { what: 'the floor', measured: baseline, facts: `${baseline.facts.rows} rows` };
    return [
      bare,
      floor,
      {
        what: 'reconcile: judge, record, join, write the table',
        measured: reconciled,
        against: [{ line: bare }, { line: floor, mostCpu: 1.6 }],
        mostRssMib: 250,
        facts: `${reconciled.facts.ok} rows ok`,
      },
      { what: 'open the settled ledger', measured: opened, mostRssMib: 250, facts: `${opened.facts.requests} requests` },
    ];
  },
};
