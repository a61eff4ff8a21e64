import { inspect } from 'node:util';
import { AppError, EXIT, UsageError } from '../core/errors.ts';

/**
 * Says on stderr what went wrong and gives the exit code. An AppError is a sentence for the user; anything else is a bug and shows its stack.
 * Secrets are cut out of whatever is printed.
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

/** Characters that could move the cursor, change the title or reverse the text of a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

function say(text: string): void {
  process.stderr.write(`${scrubSecrets(text).replaceAll(CONTROL, '\uFFFD')}\n`);
}

/** Replaces the API key, wherever it may have got into a text. */
export function scrubSecrets(text: string): string {
  const key = process.env.OPENAI_API_KEY ?? '';
  return key.length < 8 ? text : text.replaceAll(key, '[key]');
}
