import { chooseBaseUrl, hasBaseUrl } from '../host/base-url.ts';
import { makeTarget, makeTargetOrigin } from '../host/provider-target.ts';
import { originOf, SIMULATOR_ORIGIN } from '../ledger/origin.ts';
import type { Target } from '../run/open/target.ts';
import { expectCalls } from './engine.ts';
import type { JobFlags } from './options/flags.ts';

/*
 * The rule of all commands (docs/interface.md): what sends, and `plan`, which says what `run` would send, goes to the API unless `--simulate` or a
 * base URL names another provider; what looks back goes to the provider of the job's last run unless they do; `bill` counts all unless a flag does.
 */

type ProviderFlags = Pick<JobFlags, 'simulate' | 'baseUrl'>;

/** Whom a command that sends calls; V8 is told before the first call leaves for another process. */
export function makeCallTarget(...[flags, effects]: Parameters<typeof makeTarget>): Target {
  const target = makeTarget(flags, effects);
  if (flags.simulate === true) return target;
  return {
    ...target,
    async connect(...given) {
      await expectCalls();
      return target.connect(...given);
    },
  };
}

/** The origin of what such a command, or its plan, would get answers from. */
export function chooseCalledOrigin(flags: ProviderFlags): string {
  return makeTargetOrigin(flags);
}

/** The origin whose answers a command that looks back uses; null for that of the last run. */
export function chooseSeenOrigin(flags: ProviderFlags): string | null {
  return flags.simulate === true || hasBaseUrl(flags.baseUrl) ? makeTargetOrigin(flags) : null;
}

/** The origin a bill is about; null for all. A variable of the environment is meant for calls. */
export function chooseBilledOrigin({ simulate, baseUrl }: ProviderFlags): string | null {
  if (simulate === true) return SIMULATOR_ORIGIN;
  return baseUrl === undefined ? null : originOf(chooseBaseUrl(baseUrl));
}
