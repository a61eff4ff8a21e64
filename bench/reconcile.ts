import { createReadStream, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { writeBenchJob } from './bench-job.ts';
import { measureInProcess, parseBare, readArgument, runPart } from './measure.ts';
import { packTable } from './pack-table.ts';
import { reconcileTable } from './reconcile-table.ts';
import { generateTable } from './table-generator.ts';
import { writeAnswers } from './write-answers.ts';

/** Reconciling: every downloaded line judged and recorded, the table joined and written; against csv-parse plus JSON.parse of every line. */

/** The least anybody has to do: parse the table, and parse every line. */
async function parseAll(folder: string): Promise<Readonly<Record<string, number>>> {
  const { rows } = await parseBare(join(folder, 'table.csv'));
  let answers = 0;
  for (const name of readdirSync(join(folder, 'answers'))) {
    for await (const line of createInterface({ input: createReadStream(join(folder, 'answers', name)) })) {
      if (JSON.parse(line).custom_id !== undefined) answers += 1;
    }
  }
  return { rows: rows ?? 0, answers };
}

const part = readArgument('part');
const folder = readArgument('folder') ?? mkdtempSync(join(tmpdir(), 'rowmill-bench-'));
if (part === 'bare') await runPart(() => parseAll(folder));
else if (part === 'pack') await runPart(() => packTable(folder));
else if (part === 'answers') await runPart(() => writeAnswers(folder));
else if (part === 'reconcile') await runPart(() => reconcileTable(folder));
else {
  const rows = Number(readArgument('rows') ?? 1_000_000);
  await generateTable(join(folder, 'table.csv'), rows);
  writeBenchJob(folder);
  measureInProcess(import.meta.url, 'pack', [`--folder=${folder}`]);
  measureInProcess(import.meta.url, 'answers', [`--folder=${folder}`]);
  const bare = measureInProcess(import.meta.url, 'bare', [`--folder=${folder}`]);
  const reconciled = measureInProcess(import.meta.url, 'reconcile', [`--folder=${folder}`]);
  console.log(JSON.stringify({ rows, bare, reconciled, ratio: reconciled.wallSeconds / bare.wallSeconds }, null, 2));
  rmSync(folder, { recursive: true, force: true });
}
