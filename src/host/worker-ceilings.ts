import { UsageError } from '../core/errors.ts';
import type { DailyLimits } from '../live/worker/daily-allowance.ts';
import type { WorkerCeilings } from '../live/worker/read-job.ts';

/** No body larger than this is sent, whoever put it into Redis. */
const MAX_BODY_BYTES = 100 * 1024 * 1024;
const NANO_USD_PER_USD = 1_000_000_000;

type Environment = Readonly<Record<string, string | undefined>>;

/** The calls that this process's environment allows a worker, whatever Redis contains. @throws UsageError for an invalid value */
export function readWorkerCeilings(env: Environment): WorkerCeilings {
  const models = (env.ROWMILL_WORKER_MODELS ?? '')
    .split(',')
    .map((model) => model.trim())
    .filter((model) => model !== '');
  return {
    models: models.length === 0 ? null : new Set(models),
    bodyBytes: readCount(env, 'ROWMILL_WORKER_BODY_BYTES') ?? MAX_BODY_BYTES,
    outputTokens: readCount(env, 'ROWMILL_WORKER_OUTPUT_TOKENS'),
  };
}

/** What it allows a worker to use in a UTC day. @throws UsageError for an invalid value */
export function readDailyLimits(env: Environment): DailyLimits {
  const usd = readNumber(env, 'ROWMILL_WORKER_USD_PER_DAY', /^\d{1,9}(\.\d{1,9})?$/, 'an amount above 0, for example 2.50');
  return {
    calls: readCount(env, 'ROWMILL_WORKER_CALLS_PER_DAY'),
    nanoUsd: usd === null ? null : Math.round(usd * NANO_USD_PER_USD),
  };
}

function readCount(env: Environment, name: string): number | null {
  return readNumber(env, name, /^\d{1,12}$/, 'a whole number above 0');
}

/** A limit that cannot be read must not become no limit. */
function readNumber(env: Environment, name: string, form: RegExp, wanted: string): number | null {
  const text = env[name]?.trim() ?? '';
  if (text === '') return null;
  if (!form.test(text) || Number(text) === 0) throw new UsageError(`${name}: ${JSON.stringify(text)} is not a valid limit; give ${wanted}`);
  return Number(text);
}
