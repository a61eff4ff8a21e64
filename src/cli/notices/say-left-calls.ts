import { findLeftCalls, type LeftCalls } from '../../inspect/find-left-calls.ts';
import type { ReadOptions } from '../../inspect/open-state.ts';
import { formatThings } from '../../output/format-numbers.ts';
import type { JobFlags } from '../options/flags.ts';
import { showCommand } from '../run-options.ts';
import { say } from '../say.ts';

/** Names, on standard error, the calls that a killed run left without an end: no summary has them yet. */
export async function sayLeftCalls(options: ReadOptions, flags: JobFlags): Promise<void> {
  const left = await findLeftCalls(options);
  if (left !== null) say(`${describeLeft(left)}. Details: ${showCommand('status', options.jobFile, flags)}`);
}

function describeLeft({ run, lost, queued }: LeftCalls): string {
  const parts = [
    ...(lost === 0 ? [] : [`${formatThings(lost, 'call')} in flight whose result is unknown, which may have been billed`]),
    ...(queued === 0
      ? []
      : [`${formatThings(queued, 'call')} handed to workers, who may still make them: the next run collects the answers`]),
  ];
  return `The process of run ${run} ended with ${parts.join(', and ')}`;
}
