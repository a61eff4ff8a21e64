import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeBenchJob } from './bench-job.ts';
import { measureInProcess, parseBare, readArgument, runPart } from './measure.ts';
import { packTable } from './pack-table.ts';
import { generateTable } from './table-generator.ts';

/** Packing: table to shard files on disk, with keys, index, token estimates and synced events; against a bare csv-parse pass. */

const part = readArgument('part');
const folder = readArgument('folder') ?? mkdtempSync(join(tmpdir(), 'rowmill-bench-'));
if (part === 'bare') await runPart(() => parseBare(join(folder, 'table.csv')));
else if (part === 'pack') await runPart(() => packTable(folder));
else {
  const rows = Number(readArgument('rows') ?? 1_000_000);
  await generateTable(join(folder, 'table.csv'), rows);
  writeBenchJob(folder);
  const bare = measureInProcess(import.meta.url, 'bare', [`--folder=${folder}`]);
  const packed = measureInProcess(import.meta.url, 'pack', [`--folder=${folder}`]);
  console.log(JSON.stringify({ rows, bare, packed, ratio: packed.wallSeconds / bare.wallSeconds }, null, 2));
  rmSync(folder, { recursive: true, force: true });
}
