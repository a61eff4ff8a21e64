import type { BatchContext } from '../../batch/context.ts';
import type { Job } from '../../core/job.ts';
import { createWaitTeller } from '../../core/waiting/wait-teller.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Provider } from '../../openai/provider.ts';
import type { RunOptions } from '../options.ts';
import { type WatchedProvider, watchProvider } from './watched-provider.ts';

export interface BatchContextParts extends Pick<RunOptions, 'effects' | 'looksMs' | 'pollMaxMs' | 'signal' | 'stopping' | 'warn'> {
  readonly ledger: Ledger;
  readonly provider: Provider;
  readonly job: Pick<Job, 'name'>;
}

/** The batch lane's context for a run or a command; its provider reports calls without an answer. */
export function makeBatchContext(parts: BatchContextParts): BatchContext & { readonly provider: WatchedProvider } {
  const { clock, monotonicMs, sleep, startTimer, random } = parts.effects;
  const waits = createWaitTeller({ warn: parts.warn, clock, monotonicMs });
  return {
    ledger: parts.ledger,
    provider: watchProvider(parts.provider, { waits, monotonicMs, startTimer }),
    jobName: parts.job.name,
    settings: { looksMs: parts.looksMs, pollMaxMs: parts.pollMaxMs },
    clock,
    monotonicMs,
    sleep,
    startTimer,
    random,
    stopping: parts.stopping,
    signal: parts.signal,
    waits,
    warn: parts.warn,
  };
}
