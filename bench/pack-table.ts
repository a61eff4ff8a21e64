import type { BatchLane } from '../src/batch/batch-lane.ts';
import { createCutSize } from '../src/batch/cut-size.ts';
import { makeRequestLine } from '../src/core/request.ts';
import type { Ledger, ShardWriter } from '../src/ledger/ledger.ts';
import { createStepOf } from '../src/run/open/next-step.ts';
import { FIRST_OPENING, viewKeys } from '../src/run/open/opening.ts';
import { createDueRequests } from '../src/run/send/due-request.ts';
import { sendDueRows } from '../src/run/send/send-due-rows.ts';
import { startRun } from '../src/run/start-run.ts';
import { ALL_ROWS, effects, openBenchJob, signal } from './bench-job.ts';
import { MODEL } from './table-generator.ts';

/** Packs the bench table into shards that stay on disk. @returns the ledger's figures about them */
export async function packTable(folder: string): Promise<Readonly<Record<string, number>>> {
  const { prepared, ledger } = await openBenchJob(folder);
  const planned = { opening: FIRST_OPENING, reopenedKeys: [] };
  const command = { text: 'rowmill run bench.yaml', folder };
  await startRun(ledger, { job: 'bench', isSimulated: true, lane: 'batch', planned, command, estimateNanoUsd: null, effects });
  const lane = createPackingLane(ledger) as BatchLane;
  const stepOf = createStepOf(ledger, prepared.compiled.job, 'working');
  const makeDueRequest = createDueRequests(ledger, viewKeys(ledger, prepared.compiled.job), prepared);
  await sendDueRows({
    ...prepared,
    ledger,
    lane,
    stepOf,
    makeDueRequest,
    selected: ALL_ROWS,
    tokensOf: ({ body }) => prepared.tokens.own.charge(body),
    budget: null,
    signal,
  });
  await lane.flush();
  const facts = { requests: ledger.keys.size, indexBytesPerKey: ledger.keys.bytes / ledger.keys.size, shards: ledger.fold.shards.size };
  await ledger.close();
  return facts;
}

/** A lane that writes shards and sends none. */
function createPackingLane(ledger: Ledger): Pick<BatchLane, 'add' | 'flush' | 'takeGivenBack'> {
  const size = createCutSize(null);
  let writer: ShardWriter | null = null;
  const flush = async () => {
    await writer?.finish({ model: MODEL, url: '/v1/chat/completions' });
    writer = null;
  };
  return {
    async add(request, tokens) {
      const line = makeRequestLine(request);
      if (writer !== null && (writer.rows >= size.maxRequests || writer.bytes + (line.length + 1) * 3 > size.maxBytes)) await flush();
      writer ??= ledger.createShardWriter(ledger.nextShardId());
      await writer.add(line, request.customId, tokens);
    },
    flush,
    takeGivenBack: () => false,
  };
}
