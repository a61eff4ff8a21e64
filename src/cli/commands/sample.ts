import { relative } from 'node:path';
import { EXIT } from '../../core/errors.ts';
import { quoteArgument } from '../../core/wording/quote-argument.ts';
import { sampleRows } from '../../inspect/quality/sample.ts';
import type { JobFlags } from '../options/flags.ts';
import { makeReadOptions, sayWhichState } from '../read-options.ts';
import { renderSample } from '../render/render-sample.ts';
import { showCommand } from '../run-options.ts';
import { paintFor, print, printJson } from '../say.ts';

/** The flags of `sample`. */
export interface SampleFlags extends JobFlags {
  readonly rows: number;
  readonly seed: number;
  readonly by?: string;
  readonly field?: string;
}

/** `rowmill sample`: a sheet of rows for a person to label. */
export async function sample(jobFile: string, flags: SampleFlags): Promise<number> {
  const options = makeReadOptions(jobFile, flags);
  const { rows, seed, by = null, field = null } = flags;
  const drawn = await sampleRows(options, { rows, seed, by, field });
  const path = relative(process.cwd(), drawn.sample.path);
  const fieldFlag = field === null ? '' : ` --field ${quoteArgument(field)}`;
  const next = `${showCommand('eval', jobFile, flags)} --gold ${quoteArgument(path)}${fieldFlag}`;
  if (flags.json === true) printJson({ ...drawn.sample, path, next });
  else print(renderSample({ ...drawn.sample, path }, next, paintFor(process.stdout)));
  sayWhichState(options, drawn.state);
  return EXIT.done;
}
