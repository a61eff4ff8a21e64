import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeBenchJob } from './bench-job.ts';
import { measureBeside, measureInProcess, measureTool, parseBare, readArgument, runPart } from './measure.ts';
import { packTable } from './pack-table.ts';
import { printLines, RSS_LIMIT_MIB, toolLines } from './result.ts';
import { generateTable } from './table-generator.ts';

/** Packing: table to shard files on disk, with keys, index, token estimates and synced events; against a bare csv-parse pass over the table. */

const part = readArgument('part');
const folder = readArgument('folder') ?? mkdtempSync(join(tmpdir(), 'rowmill-bench-'));
if (part === 'bare') await runPart(() => parseBare(join(folder, 'table.csv')));
else if (part === 'pack') await runPart(() => packTable(folder));
else {
  await generateTable(join(folder, 'table.csv'), Number(readArgument('rows') ?? 1_000_000));
  writeBenchJob(folder);
  const measure = (part: string) => measureInProcess(import.meta.url, part, [`--folder=${folder}`]);
  const { baseline: bare, measured: packed } = measureBeside(
    () => measure('bare'),
    () => measure('pack'),
  );
  const { requests, indexBytesPerKey, shards } = packed.facts;
  printLines([
    { what: 'csv-parse alone', measured: bare, ratio: null, rssLimitMib: null, facts: `${bare.facts.rows} rows` },
    {
      what: 'pack: render, key, estimate, write shards',
      measured: packed,
      ratio: { value: packed.wallSeconds / bare.wallSeconds, of: 'wall', limit: 2.5 },
      rssLimitMib: RSS_LIMIT_MIB,
      facts: `${requests} requests in ${shards} shards, index ${indexBytesPerKey?.toFixed(1)} bytes a request`,
    },
    ...toolLines('mlr --icsv --ojsonl cat', measureTool('mlr', ['--icsv', '--ojsonl', 'cat', join(folder, 'table.csv')])),
  ]);
  rmSync(folder, { recursive: true, force: true });
}
