import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import { openTable } from '../src/input/table/open-table.ts';

/**
 * How much memory it takes to read a Parquet table of one row group without a page index: node dist/bench/parquet-memory.js [--rows 1000000]
 * Writing and reading are processes of their own, whose peaks do not meet.
 */

const ROW_BYTES = 500;
const MAX_MB = 350;
/** Texts that are not all alike, few enough to be made quickly. */
const POOL = 1_009;

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, write: { type: 'string' }, read: { type: 'string' } },
});

if (values.write !== undefined) writeTable(values.write, Number(values.rows));
else if (values.read !== undefined) await readTable(values.read);
else measure();

function measure(): void {
  const folder = mkdtempSync(join(tmpdir(), 'rowmill-parquet-'));
  const file = join(folder, 'table.parquet');
  const step = (...args: string[]) => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...args], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return stdout;
  };
  try {
    step('--write', file, '--rows', values.rows);
    const { rows, peakMb, seconds } = JSON.parse(step('--read', file)) as { rows: number; peakMb: number; seconds: number };
    const fileMb = Math.round(statSync(file).size / 1e6);
    console.log(
      `${rows} rows, ${fileMb} MB in one row group without a page index: read in ${peakMb} MB, ${seconds} s of CPU (limit ${MAX_MB} MB)`,
    );
    if (rows !== Number(values.rows) || peakMb > MAX_MB) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function writeTable(filename: string, rows: number): void {
  const pool = Array.from({ length: POOL }, (_, index) => Buffer.from(`text ${index} `.padEnd(ROW_BYTES, `${index * 7_919} words `)));
  const writer = new ParquetWriter({
    writer: fileWriter(filename),
    codec: 'UNCOMPRESSED',
    statistics: false,
    schema: [
      { name: 'root', num_children: 2 },
      { name: 'id', type: 'INT64', repetition_type: 'REQUIRED' },
      { name: 'body', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
    ],
  });
  const columnData = [
    { name: 'id', data: BigInt64Array.from({ length: rows }, (_, index) => BigInt(index)), encoding: 'PLAIN' as const, offsetIndex: false },
    { name: 'body', data: Array.from({ length: rows }, (_, index) => pool[index % POOL]), encoding: 'PLAIN' as const, offsetIndex: false },
  ];
  void writer.write({ columnData, rowGroupSize: rows });
  void writer.finish();
}

async function readTable(path: string): Promise<void> {
  const { signal } = new AbortController();
  const table = await openTable({ path, format: null, delimiter: null, encoding: null, columns: null, id: [] }, { signal });
  let rows = 0;
  for await (const chunk of table.readRows(signal)) rows += chunk.length;
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  console.log(JSON.stringify({ rows, peakMb: Math.round(maxRSS / 1024), seconds: Math.round((userCPUTime + systemCPUTime) / 1e5) / 10 }));
}
