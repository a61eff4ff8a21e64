import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCutSize } from '../src/batch/cut-size.ts';
import type { BatchLane } from '../src/batch/lane.ts';
import { makeRequestLine } from '../src/core/request.ts';
import type { Ledger, ShardWriter } from '../src/ledger/ledger.ts';
import { readOwnIdentity } from '../src/ledger/process-identity.ts';
import { createStepOf } from '../src/run/next-step.ts';
import { openJobLedger } from '../src/run/open-job-ledger.ts';
import { sendDueRows } from '../src/run/pass.ts';
import { prepareJob } from '../src/run/prepare.ts';
import { startRun } from '../src/run/start-run.ts';
import { measureInProcess, parseBare, readArgument, runPart } from './measure.ts';
import { generateTable } from './table-generator.ts';

/** Packing: table to shard files on disk, with keys, index, token estimates and synced events; against a bare csv-parse pass. */

const signal = new AbortController().signal;

function writeJob(folder: string): string {
  const path = join(folder, 'job.yaml');
  writeFileSync(
    path,
    `name: bench
input: { path: table.csv, id: ticket_id }
model: gpt-4o-mini
prompt:
  system: Label the ticket. Reply in JSON.
  user: |
    {{ subject }}
    {{ body }}
output: { label: billing | bug | feature | other, confidence: number 0..1 }
params: { max_output_tokens: 60 }
`,
  );
  return path;
}

/** A lane that writes shards and sends none. */
function createPackingLane(ledger: Ledger): Pick<BatchLane, 'add' | 'flush' | 'takeGivenBack'> {
  const size = createCutSize(null);
  let writer: ShardWriter | null = null;
  const flush = async () => {
    await writer?.finish({ model: 'gpt-4o-mini', url: '/v1/chat/completions' });
    writer = null;
  };
  return {
    async add(request, tokens) {
      const line = makeRequestLine(request);
      if (writer !== null && (writer.rows >= size.maxRequests || writer.bytes + Buffer.byteLength(line) + 1 > size.maxBytes)) await flush();
      writer ??= ledger.createShardWriter(ledger.nextShardId());
      await writer.add(line, request.customId, tokens);
    },
    flush,
    takeGivenBack: () => false,
  };
}

async function pack(folder: string): Promise<Readonly<Record<string, number>>> {
  const clock = () => new Date();
  const effects = {
    clock,
    sleep: async () => {},
    random: Math.random,
    randomId: () => 'bench00000',
    processIdentity: { ...readOwnIdentity(), host: hostname() },
  };
  const prepared = await prepareJob({
    jobFile: join(folder, 'job.yaml'),
    overrides: { cwd: folder },
    stateRoot: null,
    target: { origin: 'default' },
    stdin: null,
    signal,
  });
  const { ledger } = await openJobLedger(prepared, { origin: 'default', access: 'write', effects, priceAsOf: null, signal });
  await startRun(ledger, 'bench', true, { isFresh: false, effects });
  const lane = createPackingLane(ledger) as BatchLane;
  const stepOf = createStepOf(ledger, prepared.compiled.job, 'working');
  const selected = { isAll: true, has: () => true, end: Number.POSITIVE_INFINITY };
  await sendDueRows({ ...prepared, ledger, lane, stepOf, selected, budget: null, signal });
  await lane.flush();
  const facts = { requests: ledger.keys.size, indexBytesPerKey: ledger.keys.bytes / ledger.keys.size, shards: ledger.fold.shards.size };
  await ledger.close();
  return facts;
}

const part = readArgument('part');
const folder = readArgument('folder') ?? mkdtempSync(join(tmpdir(), 'rowmill-bench-'));
if (part === 'bare') await runPart(() => parseBare(join(folder, 'table.csv')));
else if (part === 'pack') await runPart(() => pack(folder));
else {
  const rows = Number(readArgument('rows') ?? 1_000_000);
  await generateTable(join(folder, 'table.csv'), rows);
  writeJob(folder);
  const bare = measureInProcess(import.meta.url, 'bare', [`--folder=${folder}`]);
  const packed = measureInProcess(import.meta.url, 'pack', [`--folder=${folder}`]);
  console.log(JSON.stringify({ rows, bare, packed, ratio: packed.wallSeconds / bare.wallSeconds }, null, 2));
  rmSync(folder, { recursive: true, force: true });
}
