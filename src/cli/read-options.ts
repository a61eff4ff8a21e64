import { relative } from 'node:path';
import { chooseBaseUrl, hasBaseUrl } from '../host/base-url.ts';
import { listEnvironmentFiles } from '../host/environment.ts';
import { makeEffects } from '../host/real-effects.ts';
import type { JobState } from '../inspect/last-run.ts';
import type { ReadOptions } from '../inspect/open-state.ts';
import { describeOrigin, originOf } from '../ledger/origin.ts';
import type { JobFlags } from './options/flags.ts';
import { say } from './say.ts';

/** The flags of a command that sends nothing. */
export function makeReadOptions(jobFile: string, flags: JobFlags): ReadOptions {
  return {
    jobFile,
    cwd: process.cwd(),
    input: flags.input ?? null,
    stateRoot: flags.stateDir ?? null,
    origin: chooseOrigin(flags),
    environmentFiles: listEnvironmentFiles(),
    leaveOut: say,
    effects: makeEffects(),
    signal: new AbortController().signal,
  };
}

/** The provider named by the flags; null if they name none, which means that of the last run. */
function chooseOrigin(flags: JobFlags): string | null {
  if (flags.simulate === true) return 'simulator';
  return hasBaseUrl(flags.baseUrl) ? originOf(chooseBaseUrl(flags.baseUrl)) : null;
}

/** Says whose answers are shown, if no flag named a provider. */
export function sayWhichState(options: Pick<ReadOptions, 'origin'>, state: JobState): void {
  if (options.origin !== null) return;
  say(`State of the last run: ${relative(process.cwd(), state.directory) || '.'}, answers of ${describeOrigin(state.origin)}`);
}

/** The flags that select the same state again, for a command to be shown. */
export function flagsOfState(flags: JobFlags, state: { readonly origin: string; readonly baseUrl: string | null }): JobFlags {
  if (state.origin === 'simulator') return { ...flags, simulate: true };
  return state.baseUrl === null ? flags : { ...flags, baseUrl: state.baseUrl };
}
