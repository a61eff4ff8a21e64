import type { Bench, BenchLine } from '../harness/line.ts';
import { measureBeside } from '../harness/measure.ts';
import { writeBenchJob } from '../table-generator.ts';

export const bench: Bench = {
  order: 1,
  heading: 'Plan',
  introduction:
    'One pass over the table: every row is rendered, its key computed and its tokens estimated; a sample is counted exactly. Nothing is written.',
  rows: { full: 1_000_000, small: 30_000 },
  parts: {
    csvParse: async (folder) => (await import('../table-baselines.ts')).readWithCsvParse(folder),
    scanner: async (folder) => (await import('../table-baselines.ts')).readWithOwnScanner(folder),
    plan: async (folder) => (await import('../plan-table.ts')).planTable(folder),
  },
  async measure({ rows, folder, runPart }) {
    await writeBenchJob(folder, rows);
    const { baseline, measured: planned } = await measureBeside(
      () => runPart('csvParse'),
      () => runPart('plan'),
    );
    const csvParse: BenchLine = { what: 'csv-parse alone', measured: baseline };
    const scanner: BenchLine = { what: 'our scanner alone', measured: runPart('scanner') };
    const { requests, inputTokens, shards } = planned.facts;
    return [
      csvParse,
      scanner,
      {
        what: 'plan: render, key, estimate, count a sample exactly',
        measured: planned,
        against: [{ line: csvParse, mostCpu: 2 }, { line: scanner }],
        mostRssMib: 250,
        facts: `${requests} requests, about ${inputTokens} tokens, in ${shards} shards`,
      },
    ];
  },
};
