import { Command } from 'commander';
import { asDiskError } from '../core/disk/disk-error.ts';
import { AppError, UsageError } from '../core/errors.ts';
import { isPresent, requireJob, TAKES_TABLE } from './job-argument.ts';
import { printFailure, reportFailure } from './report-failure.ts';

/** Runs a command and turns its end into the exit code; everything it throws is reported in one place. */
export function guard<Arguments extends readonly unknown[]>(
  command: (...values: Arguments) => Promise<number>,
): (...values: Arguments) => Promise<void> {
  return async (...values) => {
    try {
      checkJobArgument(values);
      process.exitCode = await command(...values);
    } catch (thrown) {
      const error = await explain(asDiskError(thrown), values);
      const exitCode = reportFailure(error);
      if (values.some(wantsJson)) printFailure(error, exitCode);
      process.exitCode = exitCode;
    }
  };
}

/** What a refusal says more: what has the name that was typed, or that the job was last run with another provider. */
async function explain(error: unknown, values: readonly unknown[]): Promise<unknown> {
  const [job] = values;
  const command = values.at(-1);
  if (!(error instanceof AppError) || !(command instanceof Command) || typeof job !== 'string') return error;
  if (error instanceof UsageError && takesJob(command) && BARE_NAME.test(job) && !isPresent(job))
    return (await import('./usage/name-job.ts')).nameJob(error, command, job);
  return SENDS.has(command.name()) ? (await import('./usage/name-last-provider.ts')).nameLastProvider(error, command, job) : error;
}

/** As a job may be called. */
const BARE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Commands that send: they use the API unless a flag or the environment names another provider. */
const SENDS: ReadonlySet<string> = new Set(['run', 'retry', 'import', 'cancel']);

/** Detects a table, a folder or a PDF in place of a job file; `plan` and `run` accept a table too. */
function checkJobArgument(values: readonly unknown[]): void {
  const [argument] = values;
  const command = values.at(-1);
  if (!(command instanceof Command) || !takesJob(command) || typeof argument !== 'string') return;
  if (!TAKES_TABLE.has(command.name())) requireJob(command.name(), argument, command.opts());
}

function takesJob(command: Command): boolean {
  return command.registeredArguments[0]?.name() === 'job';
}

/** The flags among a command's values. */
function wantsJson(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (value as { readonly json?: unknown }).json === true;
}
