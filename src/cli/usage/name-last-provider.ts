import type { Command } from 'commander';
import { AppError, UsageError } from '../../core/errors.ts';
import { quoteArgument } from '../../core/wording/quote-argument.ts';
import { findState } from '../../inspect/open-state.ts';
import { describeOrigin, SIMULATOR_ORIGIN } from '../../ledger/origin.ts';
import { chooseCalledOrigin, chooseSeenOrigin } from '../choose-provider.ts';
import type { JobFlags } from '../options/flags.ts';
import { programName } from '../program-name.ts';
import { makeReadOptions } from '../read-options.ts';

/** Refusals that may mean that another provider was meant. */
const CODES: ReadonlySet<string> = new Set(['no_api_key', 'no_state']);

/**
 * A command that sends never guesses its provider, because that costs money. If it is refused, and the last run of the job used another
 * provider than the one no flag chose, the refusal names it, with the command to type.
 * @returns the error, or one that says more
 */
export async function nameLastProvider(error: unknown, command: Command, jobFile: string): Promise<unknown> {
  if (!(error instanceof AppError) || !CODES.has(error.code)) return error;
  const hint = await findHint(command, jobFile).catch(() => null);
  if (hint === null) return error;
  const message = `${error.message}\n${hint}`;
  if (error instanceof UsageError) return new UsageError(message, { code: error.code, cause: error.cause });
  return new AppError(message, { code: error.code, exitCode: error.exitCode, cause: error.cause });
}

async function findHint(command: Command, jobFile: string): Promise<string | null> {
  const flags = command.opts<JobFlags>();
  if (chooseSeenOrigin(flags) !== null) return null;
  const { state, job, lastRun } = await findState(makeReadOptions(jobFile, flags));
  if (state.origin === chooseCalledOrigin(flags)) return null;
  const baseUrl = lastRun?.paths.baseUrl ?? null;
  const flag = state.origin === SIMULATOR_ORIGIN ? '--simulate' : `--base-url ${baseUrl === null ? 'URL' : quoteArgument(baseUrl)}`;
  return `The last run of ${job} used ${baseUrl ?? describeOrigin(state.origin)}. To use that again: ${programName()} ${showTyped(command)} ${flag}`;
}

/** The words that were typed after the program's name, without an address that may contain a password. */
function showTyped(command: Command): string {
  const { rawArgs = [] } = (command.parent ?? command) as Command & { readonly rawArgs?: readonly string[] };
  const words = rawArgs.slice(2);
  return words
    .filter((word, index) => !hasPassword(word) && !(word === '--redis' && hasPassword(words[index + 1] ?? '')))
    .map(quoteArgument)
    .join(' ');
}

function hasPassword(word: string): boolean {
  return /:\/\/.*@/.test(word);
}
