import { EXIT } from '../../core/errors.ts';
import { renderSummary } from '../../output/render-summary.ts';
import { readReport } from '../../run/report.ts';
import type { JobFlags } from '../flags.ts';
import { makeLookOptions, sayWhichState } from '../look-options.ts';
import { hasColour, print, printJson } from '../say.ts';

/** `rowmill report`: the summary of the last run, or of an earlier one. */
export async function report(
  jobFile: string,
  flags: JobFlags & { readonly run?: string; readonly summary: string; readonly priceAsOf?: string },
): Promise<number> {
  const options = makeLookOptions(jobFile, flags);
  const { summary, state } = await readReport(options, flags.run ?? null, flags.priceAsOf ?? null);
  if (flags.json === true) printJson(summary);
  else print(renderSummary(summary, { colour: hasColour(process.stdout), full: flags.summary === 'full' }));
  sayWhichState(options, state);
  return EXIT.done;
}
