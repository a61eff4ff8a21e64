import { setTimeout as sleep } from 'node:timers/promises';
import { startTimer } from '../../src/host/real-effects.ts';
import { createMakeCall } from '../../src/live/call.ts';
import { createDailyAllowance } from '../../src/live/worker/daily-allowance.ts';
import { runWorker } from '../../src/live/worker/worker.ts';
import { createProvider } from '../../src/openai/provider.ts';

/** A worker of the program within the test's process, on real time. */
export interface InProcessWorker {
  /** As SIGTERM does: calls under way end, the rest is given back. */
  drain(): Promise<void>;
  /** As thirty seconds after SIGTERM: nothing is waited for. However it ends is fine. */
  end(): Promise<void>;
  /** Rejects with what ends it by itself. */
  readonly ended: Promise<void>;
  /** How many calls it has made so far. */
  calls(): number;
  /** Its log so far, a line each. */
  readonly log: readonly string[];
}

let workers = 0;

export async function startWorker(options: {
  readonly redisUrl: string;
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly concurrency: number;
  readonly lockMs?: number;
}): Promise<InProcessWorker> {
  const clock = () => new Date();
  const provider = await createProvider({ apiKey: options.apiKey, baseUrl: options.baseUrl, clock, startTimer });
  const workerId = `w${process.pid}x${++workers}`;
  let lines = 0;
  const log: string[] = [];
  const [draining, ending] = [new AbortController(), new AbortController()];
  const running = runWorker({
    redisUrl: options.redisUrl,
    secret: null,
    concurrency: options.concurrency,
    keyFingerprint: provider.keyFingerprint,
    baseUrl: provider.baseUrl,
    makeCall: createMakeCall({ provider, makeLineId: () => `${workerId}.${++lines}`, clock, monotonicMs: () => performance.now() }),
    ceilings: { models: null, bodyBytes: 1_000_000, outputTokens: null },
    allowance: createDailyAllowance({ calls: null, nanoUsd: null }, clock),
    log: (level, event, facts = {}) => log.push(`${level} ${event} ${JSON.stringify(facts)}`),
    workerId,
    clock,
    random: Math.random,
    monotonicMs: () => performance.now(),
    sleep: async (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
    startTimer,
    draining: draining.signal,
    ending: ending.signal,
    ...(options.lockMs === undefined ? {} : { lockMs: options.lockMs }),
  });
  // Whoever drains it, or asks how it ended, is told.
  running.catch(() => {});
  return {
    ended: running,
    calls: () => lines,
    log,
    async end() {
      draining.abort();
      ending.abort();
      await running.catch(() => {});
    },
    async drain() {
      draining.abort();
      await running;
    },
  };
}
