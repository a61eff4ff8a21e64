import { createReadStream, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openBenchJob, writeBenchJob } from './bench-job.ts';
import { measureBeside, measureInProcess, measureTool, parseBare, readArgument, runPart } from './measure.ts';
import { packTable } from './pack-table.ts';
import { reconcileTable } from './reconcile-table.ts';
import { printLines, RSS_LIMIT_MIB, toolLines } from './result.ts';
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

function listAnswers(): readonly string[] {
  return readdirSync(join(folder, 'answers'));
}

async function openSettled(folder: string): Promise<Readonly<Record<string, number>>> {
  const { ledger } = await openBenchJob(folder);
  const requests = ledger.keys.size;
  await ledger.close();
  return { requests };
}

const part = readArgument('part');
const folder = readArgument('folder') ?? mkdtempSync(join(tmpdir(), 'rowmill-bench-'));
if (part === 'bare') await runPart(() => parseAll(folder));
else if (part === 'pack') await runPart(() => packTable(folder));
else if (part === 'answers') await runPart(() => writeAnswers(folder));
else if (part === 'reconcile') await runPart(() => reconcileTable(folder));
else if (part === 'open') await runPart(() => openSettled(folder));
else {
  const ownFolder = [`--folder=${folder}`];
  await generateTable(join(folder, 'table.csv'), Number(readArgument('rows') ?? 1_000_000));
  writeBenchJob(folder);
  measureInProcess(import.meta.url, 'pack', ownFolder);
  measureInProcess(import.meta.url, 'answers', ownFolder);
  const { baseline: bare, measured: reconciled } = measureBeside(
    () => measureInProcess(import.meta.url, 'bare', ownFolder),
    () => measureInProcess(import.meta.url, 'reconcile', ownFolder),
  );
  const opened = measureInProcess(import.meta.url, 'open', ownFolder);
  printLines([
    {
      what: 'csv-parse, and JSON.parse of every response line',
      measured: bare,
      ratio: null,
      rssLimitMib: null,
      facts: `${bare.facts.answers} lines`,
    },
    {
      what: 'reconcile: judge, record, join, write the table',
      measured: reconciled,
      ratio: { value: reconciled.wallSeconds / bare.wallSeconds, of: 'wall', limit: 2 },
      rssLimitMib: RSS_LIMIT_MIB,
      facts: `${reconciled.facts.ok} rows ok`,
    },
    {
      what: 'open the settled ledger',
      measured: opened,
      ratio: null,
      rssLimitMib: RSS_LIMIT_MIB,
      facts: `${opened.facts.requests} requests`,
    },
    ...toolLines(
      'jq -c .custom_id',
      measureTool('jq', ['-c', '.custom_id', ...listAnswers().map((name) => join(folder, 'answers', name))]),
    ),
  ]);
  rmSync(folder, { recursive: true, force: true });
}
