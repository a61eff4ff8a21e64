import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AccountRun, runAccount } from './helpers/throttled-account.ts';
import { runsOf, someOf, wideTest } from './helpers/wide.ts';

type Told = Readonly<Record<string, string>>;

/** Uniform in 0..1, the same at every run (a linear congruential generator). */
function makeRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Usage tiers, with what calls of a row are like; what they reserve is up to seven times what they use. */
const ACCOUNTS: Readonly<Record<string, Omit<AccountRun, 'random' | 'calls'>>> = {
  'short answers at 200,000 tokens': tier(3_000, 200_000, 10, { promptTokens: 70, outputTokens: 12, capTokens: 180, latencyMs: 400 }),
  'long answers at 200,000 tokens': tier(3_000, 200_000, 10, { promptTokens: 500, outputTokens: 300, capTokens: 2_000, latencyMs: 3_000 }),
  'no cap at 200,000 tokens': tier(3_000, 200_000, 10, { promptTokens: 300, outputTokens: 100, capTokens: null, latencyMs: 1_500 }),
  'the lowest tier': tier(500, 30_000, 10, { promptTokens: 70, outputTokens: 12, capTokens: 180, latencyMs: 400 }),
  'a high tier': tier(10_000, 800_000, 10, { promptTokens: 900, outputTokens: 200, capTokens: 800, latencyMs: 900 }),
  'a minute at once': tier(3_000, 200_000, 60, { promptTokens: 70, outputTokens: 12, capTokens: 180, latencyMs: 400 }),
  'two seconds at once': tier(3_000, 200_000, 2, { promptTokens: 70, outputTokens: 12, capTokens: 180, latencyMs: 400 }),
};

function tier(
  requestsPerMinute: number,
  tokensPerMinute: number,
  burstSeconds: number,
  calls: Pick<AccountRun, 'promptTokens' | 'outputTokens' | 'capTokens' | 'latencyMs'>,
) {
  return { account: { requestsPerMinute, tokensPerMinute, burstSeconds }, ...calls };
}

/** As many calls as take so long at the limit. */
function callsFor({ account, promptTokens, outputTokens }: Omit<AccountRun, 'random' | 'calls'>, seconds: number): number {
  return Math.ceil((account.tokensPerMinute * seconds) / 60 / (promptTokens + outputTokens));
}

for (const [name, run] of someOf(Object.entries(ACCOUNTS), 3)) {
  test(`${name}: from the first call to the last answer 95 % of the limit is used, without a 429 and within 105 % of any minute`, () => {
    // While the last answers are waited for nothing is used: the longer they take, the longer the run.
    const use = runAccount({ ...run, calls: callsFor(run, 90 + run.latencyMs / 50), random: makeRandom(1) });
    assert.equal(use.refused, 0);
    assert.ok(use.used >= 0.95, `${use.used} used`);
    assert.ok(use.fullestMinute <= 1.05, `${use.fullestMinute} in a minute`);
  });
}

wideTest('limits given only by the job are used and kept, even if calls reserve three times what they use', () => {
  const run = ACCOUNTS['short answers at 200,000 tokens'] as AccountRun;
  const throttle = { requestsPerMinute: 3_000, tokensPerMinute: 200_000 };
  const use = runAccount({ ...run, throttle, tell: () => null, calls: callsFor(run, 100), random: makeRandom(3) });
  assert.equal(use.refused, 0);
  assert.ok(use.used >= 0.95, `${use.used} used`);
  assert.ok(use.fullestMinute <= 1.05, `${use.fullestMinute} in a minute`);
});

/** Headers that are wrong: what they say is left is as it was at first, more than there is, less, or no number. */
const LIES: Readonly<Record<string, (told: Told) => Told | null>> = {
  'none at all': () => null,
  'always full': (told) => ({ ...told, ...left(told, () => told['x-ratelimit-limit-tokens'] ?? ''), 'x-ratelimit-reset-tokens': '1ms' }),
  'ten times too much': (told) => left(told, (remaining) => String(Number(remaining) * 10)),
  'always empty': (told) => ({ ...left(told, () => '0'), 'x-ratelimit-reset-tokens': '1m0s' }),
  'no numbers': (told) => left(told, () => 'plenty'),
  'a day until it is whole': (told) => ({ ...told, 'x-ratelimit-reset-tokens': '24h0m0s', 'x-ratelimit-reset-requests': '24h0m0s' }),
  'a limit twice as high': (told) => ({ ...told, 'x-ratelimit-limit-tokens': String(2 * Number(told['x-ratelimit-limit-tokens'])) }),
};

function left(told: Told, say: (remaining: string) => string): Told {
  return { ...told, 'x-ratelimit-remaining-tokens': say(told['x-ratelimit-remaining-tokens'] ?? '') };
}

wideTest('whatever the headers say, every call is answered, and the limits of the job are kept with hardly a 429', () => {
  const names = Object.keys(ACCOUNTS).filter((name) => name !== 'two seconds at once');
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.constantFrom(...Object.keys(LIES)), fc.nat(), (name, lie, seed) => {
      const run = ACCOUNTS[name] as AccountRun;
      const calls = callsFor(run, 40);
      const { requestsPerMinute, tokensPerMinute } = run.account;
      const use = runAccount({
        ...run,
        throttle: { requestsPerMinute, tokensPerMinute },
        tell: LIES[lie] as (told: Told) => Told,
        calls,
        random: makeRandom(seed),
      });
      assert.equal(use.answered, calls);
      assert.ok(use.refused <= calls * 0.01, `${use.refused} of ${calls} answered 429`);
      assert.ok(use.fullestMinute <= 1.05, `${use.fullestMinute} in a minute`);
    }),
    { numRuns: runsOf(20) },
  );
});
