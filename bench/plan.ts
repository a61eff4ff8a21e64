import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planJob } from '../src/run/plan/plan.ts';
import { effects, signal, writeBenchJob } from './bench-job.ts';
import { measureBeside, measureInProcess, parseBare, readArgument, runPart } from './measure.ts';
import { printLines, RSS_LIMIT_MIB } from './result.ts';
import { generateTable } from './table-generator.ts';

/** Planning: one pass over the table with keys, token estimates and an exact sample; against a bare csv-parse pass over it. */

const part = readArgument('part');
const folder = readArgument('folder') ?? mkdtempSync(join(tmpdir(), 'rowmill-bench-'));
if (part === 'bare') await runPart(() => parseBare(join(folder, 'table.csv')));
else if (part === 'plan') await runPart(planTable);
else {
  await generateTable(join(folder, 'table.csv'), Number(readArgument('rows') ?? 1_000_000));
  writeBenchJob(folder);
  const measure = (part: string) => measureInProcess(import.meta.url, part, [`--folder=${folder}`]);
  const { baseline: bare, measured: planned } = measureBeside(
    () => measure('bare'),
    () => measure('plan'),
  );
  printLines([
    { what: 'csv-parse alone', measured: bare, ratio: null, rssLimitMib: null, facts: `${bare.facts.rows} rows` },
    {
      what: 'plan: render, key, estimate, count a sample exactly',
      measured: planned,
      ratio: { value: planned.wallSeconds / bare.wallSeconds, of: 'wall', limit: 2.5 },
      rssLimitMib: RSS_LIMIT_MIB,
      facts: `${planned.facts.requests} requests, about ${planned.facts.inputTokens} tokens, in ${planned.facts.shards} shards`,
    },
  ]);
  rmSync(folder, { recursive: true, force: true });
}

async function planTable(): Promise<Readonly<Record<string, number>>> {
  const { rows, tokens, shards } = await planJob({
    jobFile: join(folder, 'job.yaml'),
    overrides: { cwd: folder },
    stateRoot: null,
    target: { origin: 'default' },
    stdin: null,
    selection: { type: 'all' },
    isFresh: false,
    reopen: null,
    effects,
    priceAsOf: null,
    signal,
  });
  return { requests: rows.new, inputTokens: tokens.input, shards: shards.length };
}
