import { Command } from 'commander';
import { asDiskError } from '../core/disk/disk-error.ts';
import { requireJob, TAKES_TABLE } from './job-argument.ts';
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
      const error = asDiskError(thrown);
      const exitCode = reportFailure(error);
      if (values.some(wantsJson)) printFailure(error, exitCode);
      process.exitCode = exitCode;
    }
  };
}

/** Detects a table, a folder or a PDF in place of a job file; `plan` and `run` accept a table too. */
function checkJobArgument(values: readonly unknown[]): void {
  const [argument] = values;
  const command = values.at(-1);
  if (!(command instanceof Command) || command.registeredArguments[0]?.name() !== 'job' || typeof argument !== 'string') return;
  if (!TAKES_TABLE.has(command.name())) requireJob(command.name(), argument);
}

/** The flags among a command's values. */
function wantsJson(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (value as { readonly json?: unknown }).json === true;
}
