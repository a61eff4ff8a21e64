import { EXIT, UsageError } from '../../core/errors.ts';
import { chooseBaseUrl } from '../../host/base-url.ts';
import { findUnusedRedis, loadEnvFile, readApiKey, readRedisLink } from '../../host/environment.ts';
import { makeEffects } from '../../host/real-effects.ts';
import { readDailyLimits, readWorkerCeilings } from '../../host/worker-ceilings.ts';
import { hostOfOrigin, originOf } from '../../ledger/origin.ts';
import { createMakeCall } from '../../live/call.ts';
import type { WorkerLog } from '../../live/worker/context.ts';
import { createDailyAllowance } from '../../live/worker/daily-allowance.ts';
import { runWorker } from '../../live/worker/worker.ts';
import { createFindPrice } from '../../money/price.ts';
import { findPriceSource } from '../../money/price-source.ts';
import { createProvider } from '../../openai/provider.ts';
import { expectCalls } from '../engine.ts';
import { listenForInterrupts } from '../interrupt.ts';
import type { WorkerMetrics } from '../metrics/worker-metrics.ts';
import type { WorkerFlags } from '../options/flags.ts';
import { say } from '../say.ts';

/** `rowmill worker`: stateless; key and base URL come from its own environment, never from Redis. */
export async function worker(flags: WorkerFlags): Promise<number> {
  loadEnvFile();
  const link = readRedisLink(flags.redis);
  if (link === null)
    throw new UsageError(`a worker needs a Redis: ${findUnusedRedis() ?? 'give --redis redis://127.0.0.1:6379, or set REDIS_URL'}`);
  const ceilings = readWorkerCeilings(process.env);
  const dailyLimits = readDailyLimits(process.env);
  const { default: pino } = await import('pino');
  const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const { clock, monotonicMs, random, randomId, sleep, startTimer } = makeEffects();
  const baseUrl = chooseBaseUrl(undefined);
  await expectCalls();
  const provider = await createProvider({ ...readApiKey(baseUrl), baseUrl, clock, startTimer });
  provider.forms.listen(({ message }) => logger.warn({ message }, 'address'));
  const findPrice = createFindPrice([], { from: findPriceSource(hostOfOrigin(originOf(provider.baseUrl))) });
  const workerId = randomId();
  let lines = 0;
  const makeLineId = () => `live_${workerId}_${++lines}`;
  const interrupts = listenForInterrupts(say);
  const metrics = await openMetrics(flags, monotonicMs);
  const log: WorkerLog = (level, event, facts) => logger[level]({ ...facts }, event);
  const makeCall = createMakeCall({ provider, makeLineId, clock, monotonicMs });
  if (metrics !== null) logger.info({ port: metrics.port }, 'metrics');
  try {
    await runWorker({
      redisUrl: link.url,
      secret: link.secret,
      concurrency: flags.concurrency,
      keyFingerprint: provider.keyFingerprint,
      baseUrl: provider.baseUrl,
      makeCall: metrics?.count(makeCall) ?? makeCall,
      ceilings,
      allowance: createDailyAllowance(dailyLimits, clock, findPrice),
      log: metrics?.listen(log) ?? log,
      workerId,
      clock,
      random,
      monotonicMs,
      sleep,
      startTimer,
      draining: interrupts.stopping,
      ending: interrupts.signal,
    });
    return EXIT.done;
  } finally {
    interrupts.dispose();
    await metrics?.close();
  }
}

/** prom-client is loaded only if metrics are served. @throws UsageError if the port is not available */
async function openMetrics({ metricsPort }: WorkerFlags, monotonicMs: () => number): Promise<WorkerMetrics | null> {
  if (metricsPort === undefined) return null;
  const { serveWorkerMetrics } = await import('../metrics/worker-metrics.ts');
  const host = process.env.ROWMILL_METRICS_HOST?.trim() ?? '';
  return serveWorkerMetrics(metricsPort, host === '' ? '127.0.0.1' : host, monotonicMs);
}
