import { join } from 'node:path';
import { planJob } from '../src/run/plan/plan.ts';
import { effects, signal } from './bench-job.ts';

/** Plans the bench table. @returns the plan's figures about it */
export async function planTable(folder: string): Promise<Readonly<Record<string, number>>> {
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
