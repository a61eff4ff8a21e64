import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from '../../src/core/errors.ts';
import { readUsage } from '../../src/core/usage.ts';
import { startTimer } from '../../src/host/real-effects.ts';
import type { MakeCall } from '../../src/live/call.ts';
import { createDailyAllowance, type DailyLimits } from '../../src/live/worker/daily-allowance.ts';
import { runWorker } from '../../src/live/worker/worker.ts';
import { ApiError, type FailureKind } from '../../src/openai/api-error.ts';

/** What a test says to a worker process, as JSON in its first argument. */
export interface WorkerProcessOptions {
  readonly redisUrl: string;
  readonly providerUrl: string;
  readonly concurrency: number;
  readonly lockMs: number;
  readonly keyFingerprint: string;
  readonly secret: string | null;
  readonly dailyLimits?: Partial<DailyLimits>;
}

/** Calls the test's provider once and tells what came of it, as the program's own call does. */
export function makeTestCall(providerUrl: string): MakeCall {
  let calls = 0;
  return async (request, { signal }) => {
    calls += 1;
    const fail = (kind: FailureKind, code: string, retryAfterMs: number | null = null) =>
      new ApiError(`test: ${code}`, { kind, code, retryAfterMs, exitCode: kind === 'stop' ? EXIT.refused : EXIT.notFinished });
    let response: Response;
    let usage: { prompt_tokens: number; completion_tokens: number } | undefined;
    try {
      const headers = { 'x-client-request-id': request.customId };
      response = await fetch(providerUrl, { method: 'POST', body: request.body, headers, signal });
      usage = ((await response.json()) as { usage?: typeof usage }).usage;
    } catch (error) {
      signal.throwIfAborted();
      const { code } = ((error as Error).cause ?? {}) as { code?: string };
      if (code !== 'ECONNREFUSED') return { status: 'unknown', failure: fail('unknown', 'the connection broke') };
      return { status: 'not-sent', failure: fail('not-sent', code), headers: null, isAboutTokens: false };
    }
    const { status, headers } = response;
    if (status === 429) return { status: 'wait', failure: fail('wait', 'rate_limit_exceeded', 30), headers, isAboutTokens: false };
    if (status === 401) return { status: 'stop', failure: fail('stop', 'invalid_api_key') };
    const line = JSON.stringify({
      id: `${process.pid}.${calls}.${request.customId}`,
      custom_id: request.customId,
      response: { status_code: status },
    });
    return { status: 'answered', line, usage: readUsage(usage), headers, failure: null };
  };
}

/** A worker as `rowmill worker` runs one; SIGTERM drains it. */
export async function runTestWorker(options: WorkerProcessOptions, draining: AbortSignal, ending: AbortSignal): Promise<void> {
  await runWorker({
    redisUrl: options.redisUrl,
    concurrency: options.concurrency,
    keyFingerprint: options.keyFingerprint,
    baseUrl: 'http://test',
    makeCall: makeTestCall(options.providerUrl),
    ceilings: { models: null, bodyBytes: 10_000, outputTokens: null },
    allowance: createDailyAllowance({ calls: null, nanoUsd: null, ...options.dailyLimits }, () => new Date()),
    secret: options.secret,
    log: (level, event, facts) => {
      if (process.env.SHOW_LOG === '1') console.error(level, event, JSON.stringify(facts ?? {}));
    },
    workerId: `w${process.pid}-${Math.floor(Math.random() * 1e9).toString(36)}`,
    clock: () => new Date(),
    random: Math.random,
    monotonicMs: () => performance.now(),
    sleep: async (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
    startTimer,
    draining,
    ending,
    lockMs: options.lockMs,
  });
}

if (process.argv[2]?.startsWith('{') === true && process.argv[1]?.endsWith('redis-worker-process.js') === true) {
  const draining = new AbortController();
  process.once('SIGTERM', () => draining.abort());
  await runTestWorker(JSON.parse(process.argv[2]) as WorkerProcessOptions, draining.signal, new AbortController().signal);
}
