import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UsageError } from '../../core/errors.ts';
import type { CallOutcome, MakeCall } from '../../live/call.ts';
import type { WorkerLog } from '../../live/worker/context.ts';

/** A worker's metrics under `/metrics`, in the text format of Prometheus. */
export interface WorkerMetrics {
  readonly port: number;
  /** The same call, counted. */
  count(makeCall: MakeCall): MakeCall;
  /** The same log, with its waits counted. */
  listen(log: WorkerLog): WorkerLog;
  close(): Promise<void>;
}

/** Calls take a fraction of a second, or up to a quarter of an hour at the flex tier. */
const CALL_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900];
const WAIT_SECONDS = [0.01, 0.1, 1, 10, 60, 600, 3600];

/**
 * Serves them on a separate port; 0 picks a free one. Anyone who can reach it can read it, so it listens on this machine only unless `host` says otherwise.
 * @throws UsageError if the port is not available
 */
export async function serveWorkerMetrics(port: number, host: string, monotonicMs: () => number): Promise<WorkerMetrics> {
  const { Counter, Gauge, Histogram, Registry } = await import('prom-client');
  const registry = new Registry();
  const registers = [registry];
  const calls = new Counter({
    name: 'rowmill_worker_calls_total',
    help: 'Calls by result: ok, failed (the row), rate_limited (429), not_sent, refused (no call can succeed), unknown (may have been billed).',
    labelNames: ['outcome'],
    registers,
  });
  for (const outcome of OUTCOMES) calls.inc({ outcome }, 0);
  const inFlight = new Gauge({ name: 'rowmill_worker_calls_in_flight', help: 'Calls without an answer yet.', registers });
  const seconds = new Histogram({
    name: 'rowmill_worker_call_seconds',
    help: 'From leaving to the answer.',
    buckets: CALL_SECONDS,
    registers,
  });
  const queued = new Histogram({
    name: 'rowmill_worker_queue_seconds',
    help: 'From being handed to the queue to leaving.',
    buckets: WAIT_SECONDS,
    registers,
  });
  const waits = new Counter({
    name: 'rowmill_worker_waits_total',
    help: 'Pauses before a call is retried, by the code that caused them.',
    labelNames: ['code'],
    registers,
  });
  const waited = new Counter({ name: 'rowmill_worker_wait_seconds_total', help: 'How long these pauses are, added up.', registers });
  const tokens = new Counter({
    name: 'rowmill_worker_tokens_total',
    help: 'Tokens the provider reported.',
    labelNames: ['kind'],
    registers,
  });
  const server = await listenOn(port, host, async () => ({ type: registry.contentType, text: await registry.metrics() }));
  return {
    port: (server.address() as AddressInfo).port,
    count: (makeCall) => async (request, options) => {
      const leftMs = monotonicMs();
      queued.observe(Math.max(0, Date.now() - options.queuedAt.getTime()) / 1000);
      inFlight.inc();
      let outcome: Outcome = 'unknown';
      try {
        const ended = await makeCall(request, options);
        outcome = nameOutcome(ended);
        if (ended.status === 'answered' && ended.usage !== null) {
          tokens.inc({ kind: 'input' }, ended.usage.inputTokens);
          tokens.inc({ kind: 'output' }, ended.usage.outputTokens);
        }
        return ended;
      } finally {
        inFlight.dec();
        calls.inc({ outcome });
        seconds.observe((monotonicMs() - leftMs) / 1000);
      }
    },
    listen: (log) => (level, event, facts) => {
      if (event === 'wait' || event === 'not-sent') {
        waits.inc({ code: nameCode(facts?.code) });
        waited.inc(Math.max(0, Number(facts?.waitMs) || 0) / 1000);
      }
      log(level, event, facts);
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

const OUTCOMES = ['ok', 'failed', 'rate_limited', 'not_sent', 'refused', 'unknown'] as const;

type Outcome = (typeof OUTCOMES)[number];

function nameOutcome(outcome: CallOutcome): Outcome {
  switch (outcome.status) {
    case 'answered':
      return outcome.failure === null ? 'ok' : 'failed';
    case 'wait':
      return 'rate_limited';
    case 'not-sent':
      return 'not_sent';
    case 'stop':
      return 'refused';
    case 'unknown':
      return 'unknown';
    default:
      return outcome satisfies never;
  }
}

/** A code comes from a server: only what looks like one becomes a label. */
function nameCode(code: unknown): string {
  return typeof code === 'string' && /^[a-zA-Z0-9_-]{1,40}$/.test(code) ? code : 'other';
}

async function listenOn(
  port: number,
  host: string,
  render: () => Promise<{ readonly type: string; readonly text: string }>,
): Promise<Server> {
  const server = createServer(async ({ method, url }, response) => {
    const isRead = method === 'GET' || method === 'HEAD';
    if (!isRead || url?.split('?')[0] !== '/metrics') {
      response.writeHead(isRead ? 404 : 405, { 'content-type': 'text/plain' }).end('GET /metrics\n');
      return;
    }
    const { type, text } = await render();
    response.writeHead(200, { 'content-type': type }).end(text);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new UsageError(`--metrics-port ${port}: cannot be served on ${host} (${error.code}); choose another port`)),
    );
    server.listen(port, host, resolve);
  });
  server.unref();
  return server;
}
