import { relative } from 'node:path';
import { EXIT } from '../../core/errors.ts';
import { isRetryable } from '../../core/outcome.ts';
import { type Failures, readFailures } from '../../inspect/failures.ts';
import { readRowHistory } from '../../inspect/row-history.ts';
import { sayNotices } from '../notices/say-notices.ts';
import type { JobFlags } from '../options/flags.ts';
import { flagsOfState, makeReadOptions } from '../read-options.ts';
import { renderFailures, renderRowHistory } from '../render/render-failures.ts';
import { showCommand } from '../run-options.ts';
import { hasColour, print, printJson, say } from '../say.ts';

/** `rowmill failures`: what failed, why, and how to retry it; with --row, everything about one row. */
export async function failures(jobFile: string, flags: JobFlags & { readonly row?: string; readonly csv?: string }): Promise<number> {
  const options = makeReadOptions(jobFile, flags);
  const colour = hasColour(process.stdout);
  if (flags.row !== undefined) {
    const history = await readRowHistory(options, flags.row);
    if (flags.json === true) printJson(history);
    else print(renderRowHistory(history, colour));
    return EXIT.done;
  }
  const found = await readFailures(options, flags.csv ?? null);
  const commands = { retry: makeRetryCommands(found, jobFile, flags), row: showCommand('failures', jobFile, flagsOfState(flags, found)) };
  if (flags.json === true) {
    const causes = found.causes.map((group) => ({ ...group, retry: commands.retry.get(group.cause) ?? null }));
    printJson({ ...found, causes, csv: found.csv === null ? null : relative(process.cwd(), found.csv) });
  } else print(renderFailures(found, commands, colour));
  await sayNotices(options, flags);
  if (found.csv !== null) say(`All of them: ${relative(process.cwd(), found.csv)}`);
  return EXIT.done;
}

/** The command that retries each cause; none for rows that were never sent. A truncated answer needs a larger cap to end differently. */
function makeRetryCommands(found: Failures, jobFile: string, flags: JobFlags): ReadonlyMap<string, string> {
  const retry = showCommand('retry', jobFile, flagsOfState(flags, found));
  return new Map(
    found.causes
      .filter(({ cause }) => isRetryable(cause))
      .map(({ cause }) => {
        const more = cause === 'truncated' && found.outputCap !== null ? ` --set params.max_output_tokens=${found.outputCap * 2}` : '';
        return [cause, `${retry} --cause ${cause}${more}`];
      }),
  );
}
