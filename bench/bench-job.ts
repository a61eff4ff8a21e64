import { join } from 'node:path';
import { startTimer } from '../src/host/real-effects.ts';
import { readOwnIdentity } from '../src/ledger/disk/process-identity.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import type { Books } from '../src/run/open/books.ts';
import type { Effects } from '../src/run/open/effects.ts';
import { keepKeys } from '../src/run/open/kept-keys.ts';
import { openJobLedger } from '../src/run/open/open-job-ledger.ts';
import { prepareJob } from '../src/run/open/prepare.ts';
import type { PreparedJob } from '../src/run/open/prepared-job.ts';

export const signal: AbortSignal = new AbortController().signal;
export const ALL_ROWS = { isAll: true, has: () => true, end: Number.POSITIVE_INFINITY };

export const effects: Effects = {
  clock: () => new Date(),
  monotonicMs: () => performance.now(),
  sleep: async () => {},
  startTimer,
  random: Math.random,
  randomId: () => Math.random().toString(36).slice(2, 12).padEnd(10, '0'),
  processIdentity: readOwnIdentity(),
};

export async function openBenchJob(folder: string): Promise<{ prepared: PreparedJob; ledger: Ledger; books: Books }> {
  const jobFile = join(folder, 'job.yaml');
  const prepared = await prepareJob({
    jobFile,
    overrides: { cwd: folder },
    stateRoot: null,
    target: { origin: 'default' },
    stdin: null,
    signal,
  });
  const opened = await openJobLedger(prepared, { origin: 'default', access: 'write', effects, priceAsOf: null, signal });
  return { ...opened, prepared: { ...prepared, table: keepKeys(prepared, opened.ledger).table } };
}
