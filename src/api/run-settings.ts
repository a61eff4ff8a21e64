import { AppError, EXIT, UsageError } from '../core/errors.ts';
import { listEnvironmentFiles, readRedisLink } from '../host/environment.ts';
import { makeTarget, makeTargetOrigin } from '../host/provider-target.ts';
import { makeEffects } from '../host/real-effects.ts';
import type { LoadedJob } from '../input/job/load-job.ts';
import type { RunOptions } from '../run/options.ts';
import type { PlanOptions } from '../run/plan/plan.ts';
import { findReasonToAsk } from '../run/plan/spending.ts';
import { type RunProgress, watchProgress } from './progress.ts';

/** What decides what there is to do. */
export interface PlanSettings {
  /** Uses the built-in simulator: no key, no cost, nothing leaves this machine. */
  readonly simulate?: boolean;
  /** The API to talk to; without it `ROWMILL_BASE_URL`, `OPENAI_BASE_URL`, the default. */
  readonly baseUrl?: string;
  /** Stands for `.rowmill` in the job's directory. */
  readonly stateDir?: string;
  /** Only the first so many rows. */
  readonly limit?: number;
  /** Only so many rows, chosen by `seed`; not beside `limit`. */
  readonly sample?: number;
  /** Default 1. */
  readonly seed?: number;
  /** Asks every row again. */
  readonly fresh?: boolean;
  /** Tries failed rows again, whatever their cause. */
  readonly retryFailed?: boolean;
  /** A day (YYYY-MM-DD) whose prices count; without it the day of each answer. */
  readonly priceAsOf?: string;
}

/** How a run goes about it. */
export interface RunSettings extends PlanSettings {
  /** When it fires, no further work is taken; calls under way get 30 s to finish. The run then ends with exit code 130 and can be continued. */
  readonly signal?: AbortSignal;
  /** Told how far the run is, five times a second at most, and once at its end. */
  readonly onProgress?: (progress: RunProgress) => void;
  /** Told what a person should know. */
  readonly onWarning?: (message: string) => void;
  /** Goes on although the cost is unknown, or may be above `confirm_over`; without it such a run is refused. */
  readonly yes?: boolean;
  /** Over the budget of the job. */
  readonly maxUsd?: number;
  /** How long to wait for batches; 0 only submits them. Without it to the end. */
  readonly waitMs?: number;
  /** Makes live calls through workers that share this Redis; without it `REDIS_URL`. */
  readonly redis?: string;
}

const NANO_USD_PER_USD = 1_000_000_000;
const DRAIN_MS = 30_000;
/** When a batch is looked for whose creation got no answer; the command line's defaults, like the next. */
const LOOKS_MS = [5_000, 20_000, 65_000];
const POLL_MAX_MS = 60_000;

export function makePlanSettings(job: LoadedJob, settings: PlanSettings): PlanOptions {
  const { limit, sample, seed = 1 } = settings;
  if (limit !== undefined && sample !== undefined) throw new UsageError('limit and sample: give one of them');
  return {
    jobFile: job,
    overrides: { cwd: process.cwd() },
    stateRoot: settings.stateDir ?? null,
    stdin: process.stdin,
    target: { origin: makeTargetOrigin(settings) },
    selection:
      limit !== undefined
        ? { type: 'first', rows: limit }
        : sample !== undefined
          ? { type: 'sample', rows: sample, seed }
          : { type: 'all' },
    environmentFiles: listEnvironmentFiles(),
    isFresh: settings.fresh === true,
    reopen: settings.retryFailed === true ? { causes: null, set: {} } : null,
    effects: makeEffects(),
    priceAsOf: settings.priceAsOf ?? null,
    signal: new AbortController().signal,
  };
}

/** The settings of a run as its options; `dispose` ends what watches the caller's signal and the run. */
export function makeRunSettings(job: LoadedJob, settings: RunSettings): { readonly options: RunOptions; readonly dispose: () => void } {
  const { signal, onProgress, onWarning, maxUsd } = settings;
  const plan = makePlanSettings(job, settings);
  const ended = new AbortController();
  const stopping = new AbortController();
  const ending = new AbortController();
  const stop = () => {
    const reason = new AppError('the signal given to run() fired', {
      code: 'interrupted',
      exitCode: EXIT.interrupted,
      cause: signal?.reason,
    });
    stopping.abort(reason);
    plan.effects.sleep(DRAIN_MS, ended.signal).then(
      () => ending.abort(reason),
      () => {},
    );
  };
  signal?.addEventListener('abort', stop, { once: true, signal: ended.signal });
  if (signal?.aborted === true) stop();
  return {
    options: {
      ...plan,
      target: makeTarget(settings, plan.effects),
      stopping: stopping.signal,
      signal: ending.signal,
      deadline: null,
      maxNanoUsd: maxUsd === undefined ? null : Math.round(maxUsd * NANO_USD_PER_USD),
      waitMs: settings.waitMs ?? null,
      looksMs: LOOKS_MS,
      pollMaxMs: POLL_MAX_MS,
      redis: readRedisLink(settings.redis),
      confirm: async (planned, spending) => {
        const why = settings.simulate === true || settings.yes === true ? null : findReasonToAsk(planned, spending);
        if (why !== null) throw new UsageError(`${why}: give run() \`yes: true\` to go on`);
      },
      watch:
        onProgress === undefined
          ? () => {}
          : (view) => watchProgress(view, onProgress, { sleep: plan.effects.sleep, signal: ended.signal }),
      warn: onWarning ?? (() => {}),
      commands: { continue: 'job.run()', failures: 'run.results()' },
    },
    dispose: () => ended.abort(),
  };
}
