import { linkSync } from 'node:fs';
import { join } from 'node:path';
import { collectEarly } from '../src/cli/engine.ts';
import { concludeRun } from '../src/run/finish/conclude.ts';
import { createWarningLog } from '../src/run/finish/warning-log.ts';
import { ALL_ROWS, effects, openBenchJob, signal } from './bench-job.ts';
import { makeBatchId } from './write-answers.ts';

/** Records the answers of every shard as its batch's and concludes the run: tables written, books checked. Garbage is collected as by the command. */
export async function reconcileTable(folder: string): Promise<Readonly<Record<string, number>>> {
  await collectEarly();
  const { prepared, ledger, books } = await openBenchJob(folder);
  const shards = [...ledger.fold.shards.keys()];
  for (const shard of shards) {
    const batchId = makeBatchId(shard);
    const temporaryPath = ledger.createTemporaryResponsePath(`${batchId}.output`);
    linkSync(join(folder, 'answers', `${shard}.jsonl`), temporaryPath);
    await ledger.recordResponse({ batchId, kind: 'output', temporaryPath, createdSeconds: 1_795_219_200 });
    await ledger.finishBatch({ batchId, status: 'completed', rejected: [], usage: null });
  }
  const run = ledger.fold.currentRun?.id ?? '';
  const commands = { continue: '', failures: '' };
  const summary = await concludeRun({
    prepared,
    ledger,
    books,
    selected: ALL_ROWS,
    run,
    simulated: true,
    selection: { type: 'all' },
    notAsked: null,
    stop: null,
    isRefused: false,
    estimateNanoUsd: null,
    maxNanoUsd: null,
    priceAsOf: null,
    commands,
    cwd: folder,
    paths: { input: null, out: null, cwd: folder, baseUrl: null },
    clock: effects.clock,
    warn: console.error,
    warnings: createWarningLog(console.error),
    signal,
  });
  await ledger.close();
  return { ok: summary?.rows.ok ?? 0, nanoUsd: summary?.cost.nanoUsd ?? 0 };
}

/** Opens the ledger of a run whose answers are all settled, and closes it. */
export async function openSettled(folder: string): Promise<Readonly<Record<string, number>>> {
  await collectEarly();
  const { ledger } = await openBenchJob(folder);
  const requests = ledger.keys.size;
  await ledger.close();
  return { requests };
}
