import { quoteArgument } from '../../core/wording/quote-argument.ts';
import type { JobFlags } from './flags.ts';

/** The flags that select table, state and provider, as they would be typed. */
export function listPlaceFlags({ input, stateDir, baseUrl, simulate }: JobFlags): readonly string[] {
  return [
    ...(input === undefined ? [] : ['--input', quoteArgument(input)]),
    ...(stateDir === undefined || process.env.ROWMILL_STATE_DIR !== undefined ? [] : ['--state-dir', quoteArgument(stateDir)]),
    ...(baseUrl === undefined ? [] : ['--base-url', quoteArgument(baseUrl)]),
    ...(simulate === true ? ['--simulate'] : []),
  ];
}
