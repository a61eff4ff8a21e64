import type { Ledger } from '../ledger/ledger.ts';
import { type FinishOptions, finishRows } from './finish/finish-rows.ts';
import type { Reopen, RunOptions } from './options.ts';

/**
 * Continues the open run under its id, or begins a new one. `--fresh` opens a new generation, once per open run.
 * @returns the run's id
 */
export async function startRun(
  ledger: Ledger,
  job: string,
  isSimulated: boolean,
  estimateNanoUsd: number | null,
  options: Pick<RunOptions, 'isFresh' | 'effects'>,
): Promise<string> {
  const { fold } = ledger;
  if (fold.currentRun === null) {
    await ledger.append({
      type: 'run-started',
      run: makeRunId(options.effects.clock(), options.effects.randomId()),
      job,
      simulated: isSimulated,
      estimateNanoUsd,
    });
  }
  const run = fold.currentRun?.id;
  if (run === undefined) throw new Error('the run that was just started is not open');
  if (options.isFresh && fold.generationRun !== run) await ledger.append({ type: 'generation-started', generation: fold.generation + 1 });
  return run;
}

/** `20261122-0405-k3x9d02mqa`: sorts by time, and two runs of one minute differ. */
function makeRunId(now: Date, randomId: string): string {
  const [day, time] = now.toISOString().split('T') as [string, string];
  return `${day.replaceAll('-', '')}-${time.slice(0, 5).replace(':', '')}-${randomId}`;
}

/** Opens failed rows again: those of the wanted causes, each key once. @returns how many keys were opened */
export async function reopenRows(options: FinishOptions, reopen: Reopen): Promise<number> {
  const keys: string[] = [];
  for await (const rows of finishRows(options)) {
    for (const { disposition, key } of rows) {
      if (disposition.status !== 'failed' || key === null) continue;
      if (reopen.causes === null || reopen.causes.has(disposition.cause)) keys.push(key);
    }
  }
  const distinct = [...new Set(keys)];
  if (distinct.length > 0) await options.ledger.append({ type: 'retry-opened', keys: distinct, set: reopen.set });
  return distinct.length;
}
