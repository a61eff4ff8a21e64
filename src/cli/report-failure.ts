import { inspect } from 'node:util';
import type { Command, CommanderError } from 'commander';
import { AppError, EXIT, type Problem, UsageError } from '../core/errors.ts';
import { printJson, say } from './say.ts';
import { explainUsage } from './usage/explain-usage.ts';

/** What `--json` prints for a command that ended without its own object. */
interface Failure {
  readonly schema: 'rowmill.error/1';
  readonly exitCode: number;
  /** A stable word for programs; `bug` for anything unexpected. */
  readonly code: string;
  readonly message: string;
  /** What to change, with file, line and column if known; absent if unknown. */
  readonly problems?: readonly Problem[];
}

/** The one object of `--json` for an error. */
export function printFailure(error: unknown, exitCode: number): void {
  const isKnown = error instanceof AppError;
  const failure: Failure = {
    schema: 'rowmill.error/1',
    exitCode,
    code: isKnown ? error.code : 'bug',
    message: error instanceof Error ? error.message : String(error),
    ...(error instanceof UsageError ? { problems: error.problems } : {}),
  };
  printJson(failure);
}

/**
 * Reports an error on stderr and returns the exit code. An AppError is a sentence for the user; anything else is a bug and shows its stack.
 */
export function reportFailure(error: unknown): number {
  if (error instanceof AppError) {
    say(error.message);
    if (error instanceof UsageError) say('Nothing was sent, nothing was spent.');
    return error.exitCode;
  }
  say(error instanceof Error ? (error.stack ?? error.message) : inspect(error));
  say('This is a bug in rowmill. The state directory is intact: the same command continues.');
  return EXIT.bug;
}

/** Reports an error of commander on stderr, and returns the exit code. */
export function reportMistyped(
  { code, message }: CommanderError,
  { command, isJson }: { readonly command: Command; readonly isJson: boolean },
): number {
  // Help is shown if no command is typed, and is enough.
  if (code !== 'commander.help') process.stderr.write(explainUsage(`${message}\n`, command));
  if (isJson) printFailure(new UsageError(message.replace(/^error: /, '')), EXIT.usage);
  return EXIT.usage;
}
