import { UsageError } from '../core/errors.ts';
import type { JobCode, TextRow } from '../core/job-code.ts';
import { waitUnlessAborted } from '../core/waiting/wait-unless-aborted.ts';
import { describeThrown } from '../core/wording/describe-thrown.ts';
import type { Effects } from '../run/open/effects.ts';

/** After this time a clock returns another value, even one of whole milliseconds. */
const CLOCK_STEP_MS = 2;

/**
 * Calls a prompt function twice for the first rows. If it throws for a row, the row is skipped, as in the run.
 * @throws UsageError if it uses a missing column, returns something that is not a prompt, or returns different prompts
 */
export async function inspectPrompt(
  { renderMessages }: Pick<JobCode, 'renderMessages'>,
  rows: readonly TextRow[],
  { sleep, signal }: Pick<Effects, 'sleep'> & { readonly signal: AbortSignal },
): Promise<void> {
  if (renderMessages === null) return;
  const ask = async (row: TextRow): Promise<string> => {
    try {
      return JSON.stringify(await renderMessages(row));
    } catch (error) {
      if (error instanceof UsageError) throw error;
      return `threw ${describeThrown(error)}`;
    }
  };
  // One wait for all rows: a listener for each would make Node warn of a leak.
  const askAll = () => waitUnlessAborted(Promise.all(rows.map(ask)), signal);
  const first = await askAll();
  await sleep(CLOCK_STEP_MS, signal);
  const second = await askAll();
  const different = first.findIndex((said, index) => said !== second[index]);
  if (different >= 0)
    throw new UsageError(
      `prompt: asked twice about row ${different + 1}, the function does not return the same prompt; answers are found again by their prompts, so a prompt must not depend on time, chance or earlier calls`,
      { code: 'job' },
    );
}
