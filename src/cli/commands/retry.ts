import { isDeepStrictEqual } from 'node:util';
import { UsageError } from '../../core/errors.ts';
import { CAUSES } from '../../core/outcome.ts';
import { suggest } from '../../core/wording/suggest.ts';
import { loadJob } from '../../input/job/load-job.ts';
import { findState } from '../../inspect/open-state.ts';
import { chooseCalledOrigin } from '../choose-provider.ts';
import type { RunFlags } from '../options/flags.ts';
import { makeReadOptions } from '../read-options.ts';
import { renderIdleRetry } from '../render/render-idle-retry.ts';
import { flagsOfSelection, makeSelection, showCommand, showSelection } from '../run-options.ts';
import { runWith } from './run.ts';

export interface RetryFlags extends RunFlags {
  readonly cause?: readonly string[];
  readonly set?: readonly string[];
}

/** `rowmill retry`: reopens failed rows and runs the job, over the table of its last run unless another one is named. */
export async function retry(jobFile: string, flags: RetryFlags): Promise<number> {
  const causes = flags.cause === undefined ? null : readCauses(flags.cause);
  const set = readSet(flags.set ?? []);
  await checkSet(jobFile, set);
  const { lastRun, selection } = await findState({ ...makeReadOptions(jobFile, flags), origin: chooseCalledOrigin(flags) });
  const input = flags.input ?? lastRun?.paths.input ?? null;
  const out = flags.out ?? lastRun?.paths.out ?? null;
  // Rows outside the last run's selection have not failed.
  const typed = makeSelection(flags);
  const extent = typed.type === 'all' ? flagsOfSelection(selection) : {};
  return runWith(
    jobFile,
    { ...flags, ...extent },
    {
      reopen: { causes, set, mustSend: true },
      overrides: { cwd: process.cwd(), input, out, mode: flags.mode ?? null },
      // Piped input of the last run was kept; only a `-` typed now means new input.
      stdin: flags.input === '-' ? process.stdin : null,
    },
    {
      renderIdle: (summary) =>
        renderIdleRetry(summary, {
          causes,
          retry: showCommand('retry', jobFile, flags),
          among: typed.type === 'all' || isDeepStrictEqual(typed, selection) ? '' : showSelection(typed),
        }),
    },
  );
}

function readCauses(words: readonly string[]): ReadonlySet<string> {
  for (const word of words) {
    if ((CAUSES as readonly string[]).includes(word)) continue;
    throw new UsageError(`--cause ${word}: no such cause${suggest(word, CAUSES) || `; causes: ${CAUSES.join(', ')}`}`);
  }
  return new Set(words);
}

/** `params.temperature=0.2` as a parameter; a value that is not JSON is a string. */
function readSet(settings: readonly string[]): Readonly<Record<string, unknown>> {
  const set: Record<string, unknown> = {};
  for (const setting of settings) {
    const [, name, value] = /^params\.([a-z_]+)=(.*)$/s.exec(setting) ?? [];
    if (name === undefined || value === undefined) {
      throw new UsageError(`--set ${setting}: pass a parameter of the job, for example --set params.max_output_tokens=400`);
    }
    set[name] = parseValue(value);
  }
  return set;
}

/** Checks the values by the rules of a job file, as if they were in it. */
async function checkSet(jobFile: string, set: Readonly<Record<string, unknown>>): Promise<void> {
  const { job } = await loadJob(jobFile, { cwd: process.cwd() });
  if (job.input.format === 'requests' && Object.keys(set).length > 0)
    throw new UsageError('--set: requests are sent as they are; change the lines in the table, and run the job');
  try {
    await loadJob(jobFile, { cwd: process.cwd(), params: set });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(error.problems.map(({ message }) => ({ place: null, message: `--set ${message}` })));
  }
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
