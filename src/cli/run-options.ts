import { relative, resolve } from 'node:path';
import { UsageError } from '../core/errors.ts';
import type { RowSelection } from '../core/row.ts';
import { quoteArgument, quotePath } from '../core/wording/quote-argument.ts';
import { findUnusedRedis, listEnvironmentFiles, loadEnvFile, readRedisLink } from '../host/environment.ts';
import { makeEffects } from '../host/real-effects.ts';
import type { FoundState } from '../inspect/open-state.ts';
import type { CommandChange } from '../output/verdict.ts';
import type { RunOptions } from '../run/options.ts';
import type { PlanOptions } from '../run/plan/plan.ts';
import { chooseCalledOrigin, makeCallTarget } from './choose-provider.ts';
import type { Interrupts } from './interrupt.ts';
import { requireNoAddress } from './job-argument.ts';
import type { JobFlags, RunFlags } from './options/flags.ts';
import { listPlaceFlags } from './options/place-flags.ts';
import { programName } from './program-name.ts';

const NANO_USD_PER_USD = 1_000_000_000;

/** The flags of one invocation as the options of a run, without what a command adds: how to confirm, and who watches. */
export function makeRunOptions(jobFile: string, flags: RunFlags, interrupts: Interrupts): Omit<RunOptions, 'confirm' | 'watch' | 'warn'> {
  loadEnvFile();
  const { effects, ...shared } = makePlanOptions(jobFile, flags);
  return {
    ...shared,
    effects,
    target: makeCallTarget(flags, effects),
    redis: chooseRedis(flags),
    redisNotice: flags.simulate === true ? null : findUnusedRedis(),
    ifRunning: flags.ifRunning === 'wait' ? 'wait' : 'fail',
    stopping: interrupts.stopping,
    signal: interrupts.signal,
    waitMs: flags.wait === true ? null : flags.wait === false ? 0 : flags.wait,
    looksMs: flags.looks,
    pollMaxMs: flags.pollMax,
    commands: {
      continue: showRunCommand(jobFile, flags),
      continueWith: (change) => showRunCommand(jobFile, changeFlags(flags, change)),
      whole: showRunCommand(jobFile, ofAllRows(flags)),
      failures: showCommand('failures', jobFile, flags),
      retry: showCommand('retry', jobFile, flags),
      sample: `${showCommand('sample', jobFile, flags)} -n 50`,
    },
  };
}

/** The built-in simulator is part of this process: no worker can reach it, so `REDIS_URL` does not count. @throws UsageError if both are asked for */
function chooseRedis(flags: RunFlags): RunOptions['redis'] {
  if (flags.simulate !== true) return readRedisLink(flags.redis);
  if (flags.redis === undefined) return null;
  throw new UsageError(
    '--redis: workers cannot reach the simulator of --simulate; start "rowmill simulate --port 8089", and pass its address to the run (--base-url) and to the workers (ROWMILL_BASE_URL)',
  );
}

/** @throws UsageError for one flag without the other: a deadline costs money, and only the user may say how much */
function readDeadline({ deadline, maxLiveUsd }: RunFlags): RunOptions['deadline'] {
  if (deadline === undefined) {
    if (maxLiveUsd === undefined) return null;
    throw new UsageError('--max-live-usd limits what --deadline may cost: add --deadline, for example --deadline 6h');
  }
  if (maxLiveUsd === undefined) {
    throw new UsageError(
      '--deadline finishes live what batches leave open, at about twice the price: add --max-live-usd, the most it may cost',
    );
  }
  return { afterMs: deadline, maxLiveNanoUsd: Math.round(maxLiveUsd * NANO_USD_PER_USD) };
}

/** The part of the flags that decides what there is to do. */
export function makePlanOptions(jobFile: string, flags: RunFlags): PlanOptions & Pick<RunOptions, 'deadline' | 'maxNanoUsd'> {
  return {
    jobFile,
    overrides: { cwd: process.cwd(), input: readInputFlag(flags), out: flags.out ?? null, mode: flags.mode ?? null },
    stateRoot: flags.stateDir ?? null,
    stdin: process.stdin,
    target: { origin: chooseCalledOrigin(flags) },
    environmentFiles: listEnvironmentFiles(),
    ...(flags.metrics === undefined ? {} : { besides: [{ path: resolve(flags.metrics), name: 'the file of metrics' }] }),
    selection: makeSelection(flags),
    isFresh: flags.fresh === true,
    reopen: flags.retryFailed === true ? { causes: null, set: {} } : null,
    effects: makeEffects(),
    priceAsOf: flags.priceAsOf ?? null,
    deadline: readDeadline(flags),
    maxNanoUsd: flags.maxUsd === undefined ? null : Math.round(flags.maxUsd * NANO_USD_PER_USD),
    ...(flags.prompts === undefined ? {} : { shownRequests: flags.prompts }),
    signal: new AbortController().signal,
  };
}

/** The flags without those that stopped a run. A model is in the job, not in a flag, unless the job file is made from flags. */
export function changeFlags<Flags extends RunFlags>(flags: Flags, { maxNanoUsd, model, baseUrl, mode, hasDeadline }: CommandChange): Flags {
  const { deadline: _, maxLiveUsd: __, ...rest } = flags;
  return {
    ...(hasDeadline === false ? (rest as Flags) : flags),
    // Rounded up to millionths of a dollar: a little less would stop it again.
    ...(maxNanoUsd === undefined ? {} : { maxUsd: Math.ceil(maxNanoUsd / 1000) / 1e6 }),
    ...(model === undefined ? {} : { model }),
    ...(baseUrl === undefined ? {} : { baseUrl }),
    ...(mode === undefined ? {} : { mode }),
  };
}

function ofAllRows({ limit: _, sample: __, ...flags }: RunFlags): RunFlags {
  return flags;
}

export function makeSelection(flags: RunFlags): RowSelection {
  if (flags.limit !== undefined) return { type: 'first', rows: flags.limit };
  if (flags.sample !== undefined) return { type: 'sample', rows: flags.sample, seed: flags.seed };
  return { type: 'all' };
}

/** The flags that select these rows; none for all. */
export function flagsOfSelection(selection: RowSelection): Pick<RunFlags, 'limit' | 'sample'> & Partial<Pick<RunFlags, 'seed'>> {
  if (selection.type === 'first') return { limit: selection.rows };
  return selection.type === 'sample' ? { sample: selection.rows, seed: selection.seed } : {};
}

/** The same as typed; empty for all. */
export function showSelection(selection: RowSelection): string {
  switch (selection.type) {
    case 'all':
      return '';
    case 'first':
      return `--limit ${selection.rows}`;
    case 'sample':
      return `--sample ${selection.rows} --seed ${selection.seed}`;
    default:
      return selection satisfies never;
  }
}

/** A command as the user would type it here, with the flags that select table, state and provider. */
export function showCommand(command: string, jobFile: string, flags: JobFlags): string {
  return [programName(), command, quotePath(relative(process.cwd(), jobFile) || jobFile), ...listPlaceFlags(flags)].join(' ');
}

/** `run` as it goes on with the last run of a state: the same rows, the same table. */
export function showContinueCommand(
  jobFile: string,
  flags: JobFlags,
  { selection, lastRun }: Pick<FoundState, 'selection' | 'lastRun'>,
): string {
  const out = lastRun?.paths.out ?? null;
  const shown = out === null || out === '-' ? out : relative(process.cwd(), out);
  const words = [showCommand('run', jobFile, flags), ...(shown === null ? [] : ['--out', quoteArgument(shown)]), showSelection(selection)];
  return words.filter((word) => word !== '').join(' ');
}

/** `run` with every flag that decides what it does, so that it continues this invocation. */
export function showRunCommand(jobFile: string, flags: RunFlags): string {
  const parts = [showCommand('run', jobFile, flags)];
  if (flags.mode !== undefined) parts.push('--mode', flags.mode);
  if (flags.out !== undefined) parts.push('--out', quoteArgument(flags.out));
  const selection = showSelection(makeSelection(flags));
  if (selection !== '') parts.push(selection);
  if (flags.deadline !== undefined && flags.maxLiveUsd !== undefined)
    parts.push('--deadline', showTime(flags.deadline), '--max-live-usd', String(flags.maxLiveUsd));
  if (flags.maxUsd !== undefined) parts.push('--max-usd', String(flags.maxUsd));
  if (flags.priceAsOf !== undefined) parts.push('--price-as-of', flags.priceAsOf);
  return parts.join(' ');
}

function showTime(milliseconds: number): string {
  if (milliseconds % 3_600_000 === 0) return `${milliseconds / 3_600_000}h`;
  return milliseconds % 60_000 === 0 ? `${milliseconds / 60_000}m` : `${milliseconds / 1000}s`;
}

function readInputFlag({ input }: JobFlags): string | null {
  if (input !== undefined) requireNoAddress(input);
  return input ?? null;
}
