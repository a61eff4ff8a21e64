import { randomUUID } from 'node:crypto';
import { AppError, EXIT, UsageError } from '../core/errors.ts';
import { listEnvironmentFiles, readRedisLink } from '../host/environment.ts';
import { createRunNotices, type RunNotices } from '../host/notices/run-notices.ts';
import { makeTarget, makeTargetOrigin } from '../host/provider-target.ts';
import { makeEffects } from '../host/real-effects.ts';
import type { LoadedJob } from '../input/job/load-job.ts';
import { locateStateDirectory } from '../run/open/target.ts';
import type { RunOptions } from '../run/options.ts';
import type { PlanOptions } from '../run/plan/plan.ts';
import { findReasonToAsk } from '../run/plan/spending.ts';
import { type CallerGuard, createCallerGuard } from './guard-caller.ts';
import type { PlanSettings, RunSettings } from './settings.ts';
import { watchProgress } from './watch-progress.ts';

const NANO_USD_PER_USD = 1_000_000_000;
const DRAIN_MS = 30_000;
/** When a batch is searched for whose creation got no response; the command line's defaults, like the next. */
const LOOKS_MS = [5_000, 20_000, 65_000];
const POLL_MAX_MS = 60_000;

export function makePlanSettings(job: LoadedJob, settings: PlanSettings): PlanOptions & Pick<RunOptions, 'maxNanoUsd'> {
  const { limit, sample, seed = 1, maxUsd } = settings;
  if (limit !== undefined && sample !== undefined) throw new UsageError('limit and sample: give one of them');
  return {
    jobFile: job,
    overrides: { cwd: process.cwd() },
    stateRoot: settings.stateDir ?? null,
    stdin: process.stdin,
    target: { origin: nameOrigin(settings) },
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
    maxNanoUsd: maxUsd === undefined ? null : Math.round(maxUsd * NANO_USD_PER_USD),
    signal: new AbortController().signal,
  };
}

/**
 * The settings of a run as its options. `finish` stops watching the caller's signal and the run, and throws what a function of the caller threw meanwhile;
 * such a run was stopped like one whose signal fired. `notices` are for whoever awaits the run: it is over when they have been delivered.
 */
export function makeRunSettings(
  job: LoadedJob,
  settings: RunSettings,
): { readonly options: RunOptions; readonly notices: RunNotices; readonly finish: () => Promise<void> } {
  const { signal, onProgress, onWarning } = settings;
  const plan = makePlanSettings(job, settings);
  const ended = new AbortController();
  const stopping = new AbortController();
  const ending = new AbortController();
  const stop = (why: string) => {
    const reason = new AppError(why, { code: 'interrupted', exitCode: EXIT.interrupted, cause: signal?.reason });
    stopping.abort(reason);
    plan.effects.sleep(DRAIN_MS, ended.signal).then(
      () => ending.abort(reason),
      () => {},
    );
  };
  const stopBySignal = () => stop('the signal given to run() fired');
  signal?.addEventListener('abort', stopBySignal, { once: true, signal: ended.signal });
  if (signal?.aborted === true) stopBySignal();
  const guard = createCallerGuard(() => stop('a function of the program threw'));
  const warn = guard.guardListener(onWarning);
  const commands = { continue: 'job.run()', failures: 'run.results()' };
  const notices = createRunNotices({
    isSimulated: settings.simulate === true,
    warn,
    commands: { ...commands, report: null },
    findRefused: async () => ({ job: job.job, stateDirectory: locateStateDirectory(job.job, nameOrigin(settings), plan.stateRoot) }),
  });
  return {
    notices,
    options: {
      ...plan,
      jobFile: guardCode(job, guard),
      onPrepared: notices.begin,
      target: makeTarget(settings, plan.effects),
      stopping: stopping.signal,
      signal: ending.signal,
      deadline: null,
      waitMs: settings.waitMs ?? null,
      looksMs: LOOKS_MS,
      pollMaxMs: POLL_MAX_MS,
      redis: readRedisLink(settings.redis),
      confirm: async (planned, spending) => {
        const why = settings.simulate === true || settings.yes === true ? null : findReasonToAsk(planned, spending);
        if (why !== null) throw new UsageError(`${why}: pass \`yes: true\` to run() to continue`);
      },
      watch:
        onProgress === undefined
          ? () => {}
          : (view) => watchProgress(view, guard.guardListener(onProgress), { sleep: plan.effects.sleep, signal: ended.signal }),
      warn,
      commands,
    },
    finish() {
      ended.abort();
      return guard.settle();
    },
  };
}

/** The result of a check in an earlier run of the program may have come from an error of its own: every run judges again. */
function guardCode({ code, ...loaded }: LoadedJob, { guardCheck }: CallerGuard): LoadedJob {
  if (code === undefined) return loaded;
  return { ...loaded, code: code.checkValue === null ? code : { ...code, checkValue: guardCheck(code.checkValue), id: randomUUID() } };
}

/** Messages about an address mention flags; here it is a setting. */
function nameOrigin(settings: PlanSettings): string {
  try {
    return makeTargetOrigin(settings);
  } catch (error) {
    if (!(error instanceof UsageError) || settings.baseUrl === undefined) throw error;
    const message = error.message.replace(/^base URL /, '').replace(/use (for example )?--base-url (\S+)/, 'use $1"$2"');
    throw new UsageError(`baseUrl: ${message}`);
  }
}
