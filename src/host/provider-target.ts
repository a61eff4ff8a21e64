import { join } from 'node:path';
import { DEFAULT_ORIGIN, originOf, SIMULATOR_ORIGIN } from '../ledger/origin.ts';
import type { Effects } from '../run/open/effects.ts';
import type { Target } from '../run/open/target.ts';
import { readAnswerManner } from './answer-manner.ts';
import { chooseBaseUrl } from './base-url.ts';
import { NO_KEY, readApiKey } from './environment.ts';

/** The simulator requires a key like any server; this one is valid nowhere else. */
const SIMULATOR_KEY = 'sk-simulator';

/**
 * The provider named by the flags: the built-in simulator, or the API at the chosen base URL.
 * @param isKeyless whether it is called without a key, only to see whether it answers
 */
export function makeTarget(
  flags: { readonly simulate?: boolean | undefined; readonly baseUrl?: string | undefined },
  effects: Pick<Effects, 'clock' | 'startTimer'>,
  { isKeyless = false } = {},
): Target {
  if (flags.simulate === true) return makeSimulatorTarget(effects);
  const baseUrl = chooseBaseUrl(flags.baseUrl);
  return {
    origin: originOf(baseUrl),
    baseUrl: originOf(baseUrl) === DEFAULT_ORIGIN ? null : baseUrl,
    async connect(_, assertMaySpend) {
      const key = isKeyless ? { apiKey: NO_KEY } : readApiKey(baseUrl);
      const { createProvider } = await import('../openai/provider.ts');
      return {
        provider: await createProvider({ ...key, baseUrl, clock: effects.clock, startTimer: effects.startTimer, ...fence(assertMaySpend) }),
        close: async () => {},
      };
    },
  };
}

const fence = (assertMaySpend: (() => void) | undefined) => (assertMaySpend === undefined ? {} : { assertMaySpend });

/** The origin of the provider named by the flags. */
export function makeTargetOrigin(flags: { readonly simulate?: boolean | undefined; readonly baseUrl?: string | undefined }): string {
  return flags.simulate === true ? SIMULATOR_ORIGIN : originOf(chooseBaseUrl(flags.baseUrl));
}

function makeSimulatorTarget({ clock, startTimer }: Pick<Effects, 'clock' | 'startTimer'>): Target {
  return {
    origin: SIMULATOR_ORIGIN,
    baseUrl: null,
    async connect(stateDirectory, assertMaySpend) {
      const manner = readAnswerManner(process.env);
      const [{ startSimulator }, { createProvider }] = await Promise.all([
        import('../simulator/start.ts'),
        import('../openai/provider.ts'),
      ]);
      const simulator = await startSimulator({ stateDirectory: join(stateDirectory, 'provider'), ...manner });
      const address = { apiKey: SIMULATOR_KEY, baseUrl: simulator.url, isOwnServer: true };
      const provider = await createProvider({ ...address, clock, startTimer, ...fence(assertMaySpend) });
      return { provider, close: () => simulator.close() };
    },
  };
}
