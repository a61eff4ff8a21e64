/** The limits of an account of a usage tier for a model. */
export interface AccountLimits {
  /** The usage tier, 1 to 5. */
  readonly tier: number;
  readonly requestsPerMinute: number;
  readonly tokensPerMinute: number;
  /** Prompt tokens that may wait in batches of the model. */
  readonly enqueuedTokens: number;
}

const M = 1e6;

/** Defaults per tier 1 to 5 as requests per minute, tokens per minute, enqueued tokens (OpenAI’s model pages, seen 2026-11-21; an account may have others). */
const LIMITS: readonly (readonly [models: RegExp, tiers: readonly (readonly [number, number, number])[]])[] = [
  [
    /^(gpt-4o-mini|gpt-4\.1-(mini|nano))/,
    [
      [500, 200_000, 2 * M],
      [5_000, 2 * M, 20 * M],
      [5_000, 4 * M, 40 * M],
      [10_000, 10 * M, 1_000 * M],
      [30_000, 150 * M, 15_000 * M],
    ],
  ],
  [
    /^(gpt-4o|gpt-4\.1|o3)(-\d|$)/,
    [
      [500, 30_000, 90_000],
      [5_000, 450_000, 1_350_000],
      [5_000, 800_000, 50 * M],
      [10_000, 2 * M, 200 * M],
      [10_000, 30 * M, 5_000 * M],
    ],
  ],
  [
    /^(gpt-5-mini|gpt-5\.6-luna)/,
    [
      [500, 500_000, 5 * M],
      [5_000, 2 * M, 20 * M],
      [5_000, 4 * M, 40 * M],
      [10_000, 10 * M, 1_000 * M],
      [30_000, 180 * M, 15_000 * M],
    ],
  ],
  [
    /^(gpt-5|gpt-5\.4|gpt-5\.5|gpt-5\.6-sol)(-\d|$)/,
    [
      [500, 500_000, 1_500_000],
      [5_000, 1 * M, 3 * M],
      [5_000, 2 * M, 100 * M],
      [10_000, 4 * M, 200 * M],
      [15_000, 40 * M, 15_000 * M],
    ],
  ],
  [
    /^text-embedding-3-/,
    [
      [3_000, 1 * M, 3 * M],
      [5_000, 1 * M, 20 * M],
      [5_000, 5 * M, 100 * M],
      [10_000, 5 * M, 500 * M],
      [10_000, 10 * M, 4_000 * M],
    ],
  ],
];

/** The default limits of a model by usage tier; empty for a model with unknown limits. An account may have others. */
export function listAccountLimits(model: string): readonly AccountLimits[] {
  const tiers = LIMITS.find(([models]) => models.test(model.toLowerCase()))?.[1] ?? [];
  return tiers.map(([requestsPerMinute, tokensPerMinute, enqueuedTokens], index) => ({
    tier: index + 1,
    requestsPerMinute,
    tokensPerMinute,
    enqueuedTokens,
  }));
}
