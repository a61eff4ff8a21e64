import type { Bench, BenchLine } from '../harness/line.ts';
import { measureBeside } from '../harness/measure.ts';
import { writeBenchJob } from '../table-generator.ts';

export const bench: Bench = {
  order: 2,
  heading: 'Pack',
  introduction: 'From the table to shard files on disk, with keys, index, token estimates and synced events.',
  rows: { full: 1_000_000, small: 30_000 },
  parts: {
    csvParse: async (folder) => (await import('../table-baselines.ts')).readWithCsvParse(folder),
    scanner: async (folder) => (await import('../table-baselines.ts')).readWithOwnScanner(folder),
    pack: async (folder) => (await import('../pack-table.ts')).packTable(folder),
  },
  async measure({ rows, folder, runPart }) {
    await writeBenchJob(folder, rows);
    const { baseline, measured: packed } = await measureBeside(
      () => runPart('csvParse'),
      () => runPart('pack'),
    );
    const csvParse: BenchLine = { what: 'csv-parse alone', measured: baseline };
    const scanner: BenchLine = { what: 'our scanner alone', measured: runPart('scanner') };
    const { requests, indexBytesPerKey, shards } = packed.facts;
    return [
      csvParse,
      scanner,
      {
        what: 'pack: render, key, estimate, write shards',
        measured: packed,
        against: [{ line: csvParse, mostCpu: 2.5 }, { line: scanner }],
        mostRssMib: 250,
        facts: `${requests} requests in ${shards} shards, index ${indexBytesPerKey?.toFixed(1)} bytes a request`,
      },
    ];
  },
};
