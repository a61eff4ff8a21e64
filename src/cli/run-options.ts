import { relative } from 'node:path';
import type { RunOptions } from '../run/options.ts';
import type { RowSelection } from '../run/selection.ts';
import { makeEffects } from './effects.ts';
import { loadEnvFile } from './environment.ts';
import type { JobFlags, RunFlags } from './flags.ts';
import type { Interrupts } from './interrupt.ts';
import { makeTarget } from './target.ts';

const NANO_USD_PER_USD = 1_000_000_000;

/** The flags of one invocation as the options of a run, without what a command adds: how to confirm, and who watches. */
export function makeRunOptions(jobFile: string, flags: RunFlags, interrupts: Interrupts): Omit<RunOptions, 'confirm' | 'watch' | 'warn'> {
  loadEnvFile();
  const effects = makeEffects();
  return {
    jobFile,
    overrides: { cwd: process.cwd(), input: flags.input ?? null, out: flags.out ?? null, mode: flags.mode ?? null },
    stateRoot: flags.stateDir ?? null,
    stdin: process.stdin,
    target: makeTarget(flags, effects.clock),
    selection: makeSelection(flags),
    effects,
    stopping: interrupts.stopping,
    signal: interrupts.signal,
    maxNanoUsd: flags.maxUsd === undefined ? null : Math.round(flags.maxUsd * NANO_USD_PER_USD),
    waitMs: flags.wait === true ? null : flags.wait === false ? 0 : flags.wait,
    isFresh: flags.fresh === true,
    reopen: flags.retryFailed === true ? { causes: null, set: {} } : null,
    looksMs: flags.looks,
    pollMaxMs: flags.pollMax,
    priceAsOf: flags.priceAsOf ?? null,
    commands: { continue: showCommand('run', jobFile, flags), failures: showCommand('failures', jobFile, flags) },
  };
}

function makeSelection(flags: RunFlags): RowSelection {
  if (flags.limit !== undefined) return { type: 'first', rows: flags.limit };
  if (flags.sample !== undefined) return { type: 'sample', rows: flags.sample, seed: flags.seed };
  return { type: 'all' };
}

/** A command as a person would type it here, with the flags that choose table, state and provider. */
export function showCommand(command: string, jobFile: string, flags: JobFlags): string {
  const parts = ['rowmill', command, quote(relative(process.cwd(), jobFile) || jobFile)];
  if (flags.input !== undefined) parts.push('--input', quote(flags.input));
  if (flags.stateDir !== undefined && process.env.ROWMILL_STATE_DIR === undefined) parts.push('--state-dir', quote(flags.stateDir));
  if (flags.baseUrl !== undefined) parts.push('--base-url', quote(flags.baseUrl));
  if (flags.simulate === true) parts.push('--simulate');
  return parts.join(' ');
}

function quote(text: string): string {
  return /^[\w./:@=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
