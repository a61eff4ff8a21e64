/** So many bodies are all looked at closely, then one in so many; the others are taken to hold as many tokens per character. */
const FIRST = 2_000;
const EVERY = 16;
/** The share of a new observation: the table may change its language on the way. */
const WEIGHT = 1 / 8;

/**
 * Makes an estimator cheap enough for every row of a million: right in the sum over a shard, which is what limits are kept by, not for the
 * single row.
 */
export function createSampledEstimator(estimate: (body: string) => number): (body: string) => number {
  let asked = 0;
  let tokensPerCharacter = 0;
  return (body) => {
    if (++asked > FIRST && asked % EVERY !== 0) return Math.ceil(body.length * tokensPerCharacter);
    const tokens = estimate(body);
    const observed = tokens / body.length;
    tokensPerCharacter += (observed - tokensPerCharacter) * (asked === 1 ? 1 : WEIGHT);
    return tokens;
  };
}
