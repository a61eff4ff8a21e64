import { chooseBaseUrl, hasBaseUrl } from '../host/base-url.ts';
import { makeTarget, makeTargetOrigin } from '../host/provider-target.ts';
import { originOf, SIMULATOR_ORIGIN } from '../ledger/origin.ts';
import type { Target } from '../run/open/target.ts';
import { expectCalls } from './engine.ts';
import type { JobFlags } from './options/flags.ts';

/*
 * The rule for all commands (docs/interface.md): those that send, and `plan`, use the API unless `--simulate` or a base URL names another
 * provider; those that look back use the provider of the job's last run unless these name one; `bill` counts all unless a flag names one.
 */

type ProviderFlags = Pick<JobFlags, 'simulate' | 'baseUrl'>;

/** The provider of a command that sends; prepares V8 before the first call to another process. */
export function makeCallTarget(...[flags, effects, how]: Parameters<typeof makeTarget>): Target {
  const target = makeTarget(flags, effects, how);
  if (flags.simulate === true) return target;
  return {
    ...target,
    async connect(...given) {
      await expectCalls();
      return target.connect(...given);
    },
  };
}

/** The origin of such a command's answers, or of those it would get. */
export function chooseCalledOrigin(flags: ProviderFlags): string {
  return makeTargetOrigin(flags);
}

/** The origin whose answers a command that looks back uses; null for that of the last run. */
export function chooseSeenOrigin(flags: ProviderFlags): string | null {
  return flags.simulate === true || hasBaseUrl(flags.baseUrl) ? makeTargetOrigin(flags) : null;
}

/** The origin a bill is about; null for all. Environment variables apply only to calls. */
export function chooseBilledOrigin({ simulate, baseUrl }: ProviderFlags): string | null {
  if (simulate === true) return SIMULATOR_ORIGIN;
  return baseUrl === undefined ? null : originOf(chooseBaseUrl(baseUrl));
}
