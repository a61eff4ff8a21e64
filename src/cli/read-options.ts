import { relative } from 'node:path';
import { listEnvironmentFiles } from '../host/environment.ts';
import { makeEffects } from '../host/real-effects.ts';
import type { JobState } from '../inspect/last-run.ts';
import type { ReadOptions } from '../inspect/open-state.ts';
import { describeOrigin, SIMULATOR_ORIGIN } from '../ledger/origin.ts';
import { chooseSeenOrigin } from './choose-provider.ts';
import type { JobFlags } from './options/flags.ts';
import { say } from './say.ts';

/** The flags of a command that sends nothing. */
export function makeReadOptions(jobFile: string, flags: JobFlags): ReadOptions {
  return {
    jobFile,
    cwd: process.cwd(),
    input: flags.input ?? null,
    stateRoot: flags.stateDir ?? null,
    origin: chooseSeenOrigin(flags),
    environmentFiles: listEnvironmentFiles(),
    leaveOut: say,
    effects: makeEffects(),
    signal: new AbortController().signal,
  };
}

/** Says whose answers are shown, if no flag named a provider. */
export function sayWhichState(options: Pick<ReadOptions, 'origin'>, state: JobState): void {
  if (options.origin !== null) return;
  say(`State of the last run: ${relative(process.cwd(), state.directory) || '.'}, answers of ${describeOrigin(state.origin)}`);
}

/** The flags that select the same state again, for a command to be shown. */
export function flagsOfState(flags: JobFlags, state: { readonly origin: string; readonly baseUrl: string | null }): JobFlags {
  if (state.origin === SIMULATOR_ORIGIN) return { ...flags, simulate: true };
  return state.baseUrl === null ? flags : { ...flags, baseUrl: state.baseUrl };
}
