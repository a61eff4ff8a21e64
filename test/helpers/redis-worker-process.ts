import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, EXIT } from '../../src/core/errors.ts';
import { runWorker } from '../../src/live/worker.ts';
import type { MakeWorkerCall } from '../../src/live/worker-call.ts';

/** What a test says to a worker process, as JSON in its first argument. */
export interface WorkerProcessOptions {
  readonly redisUrl: string;
  readonly providerUrl: string;
  readonly concurrency: number;
  readonly lockMs: number;
  readonly keyFingerprint: string;
  readonly secret: string | null;
}

/** Calls the test's provider once and tells what came of it, as the program's own call does. */
export function makeTestCall(providerUrl: string): MakeWorkerCall {
  let calls = 0;
  return async (request, signal) => {
    calls += 1;
    let status: number;
    try {
      const response = await fetch(providerUrl, {
        method: 'POST',
        body: request.body,
        headers: { 'x-client-request-id': request.customId },
        signal,
      });
      status = response.status;
      await response.text();
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as { code?: string };
      return code === 'ECONNREFUSED' ? { status: 'not-sent', code } : { status: 'unknown', why: 'the connection broke' };
    }
    if (status === 429) return { status: 'wait', code: 'rate_limit_exceeded', waitMs: 30 };
    if (status === 401)
      return { status: 'stop', error: new AppError('the key is refused', { code: 'invalid_api_key', exitCode: EXIT.refused }) };
    const line = JSON.stringify({
      id: `${process.pid}.${calls}.${request.customId}`,
      custom_id: request.customId,
      response: { status_code: status },
    });
    return { status: 'answered', line, tokens: { input: 5, output: 5 } };
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
    secret: options.secret,
    log: (level, event, facts) => {
      if (process.env.SHOW_LOG === '1') console.error(level, event, JSON.stringify(facts ?? {}));
    },
    workerId: `w${process.pid}-${Math.floor(Math.random() * 1e9).toString(36)}`,
    random: Math.random,
    sleep: async (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
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
