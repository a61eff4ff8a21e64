import { inspect } from 'node:util';
import { AppError, EXIT, UsageError } from '../core/errors.ts';
import { say } from './say.ts';

/**
 * Says on stderr what went wrong and gives the exit code. An AppError is a sentence for the user; anything else is a bug and shows its stack.
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
