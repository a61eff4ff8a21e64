import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calcPrice } from '@pydantic/genai-prices';
import { makeCostOf } from '../src/money/cost.ts';

/**
 * Dollars per million tokens as `input/cached/output`, written down by hand from the pricing page (seen 2026-11-21), a missing cached rate as
 * the input rate; `=` is the column before, `-` is not sold. The fifth column has the cache-write rates of standard, batch and priority, where there are any.
 */
const MATRIX = `
gpt-6.2-astra                 | 8/.4/40       | 4/.2/20         | =              | 16/.8/80        | 10 4 20       | long
gpt-6.2-sol                   | 2/.1/10       | 1/.05/5         | =              | 4/.2/20         | 2.5 1 5       | long
gpt-6-astra                   | 10/1/50       | 5/.5/25         | =              | 20/2/100        | 12.5 6.25 25  | long
gpt-6-sol                     | 2/.2/10       | 1/.1/5          | =              | 4/.4/20         | 2.5 1.25 5    | long
gpt-6-luna                    | .1/.01/.5     | .05/.005/.25    | =              | -               | .125 .05      | long
gpt-6.1-sol                   | 2/.1/10       | 1/.05/5         | =              | 4/.2/20         | 2.5 1 5       | long
gpt-6.1-terra                 | 1/.05/5       | .5/.025/2.5     | =              | 2/.1/10         | 1.25 .5 2.5   | long
gpt-5.6-sol                   | 4/.4/20       | 2/.2/10         | =              | 8/.8/40         | 5 2.5 10      | long
gpt-5.6-terra                 | 2/.2/12       | 1/.1/6          | =              | 4/.4/24         | 2.5 1.25 5    | long
gpt-5.6-luna                  | .2/.02/1.2    | .1/.01/.6       | =              | .4/.04/2.4      | .25 .125 .5   | long
gpt-5.5                       | 5/.5/30       | 2.5/.25/15      | =              | 12.5/1.25/75    |               | long-not-priority
gpt-5.5-pro                   | 30/30/180     | 15/15/90        | =              | -               |               | long
gpt-5.4                       | 2.5/.25/15    | 1.25/.125/7.5   | =              | 5/.5/30         |               | long-not-priority
gpt-5.4-mini                  | .75/.075/4.5  | .375/.0375/2.25 | =              | 1.5/.15/9       |               |
gpt-5.4-nano                  | .2/.02/1.25   | .1/.01/.625     | =              | -               |               |
gpt-5.4-pro                   | 30/30/180     | 15/15/90        | =              | -               |               | long
gpt-5.3-codex                 | 1.75/.175/14  | .875/.0875/7    | =              | 3.5/.35/28      |               |
gpt-5.2                       | 1.75/.175/14  | .875/.0875/7    | =              | 3.5/.35/28      |               |
gpt-5.2-pro                   | 21/21/168     | 10.5/10.5/84    | -              | -               |               |
gpt-5.1                       | 1.25/.125/10  | .625/.0625/5    | =              | 2.5/.25/20      |               |
gpt-5                         | 1.25/.125/10  | .625/.0625/5    | =              | 2.5/.25/20      |               |
gpt-5-mini                    | .25/.025/2    | .125/.0125/1    | =              | .45/.045/3.6    |               |
gpt-5-nano                    | .05/.005/.4   | .025/.0025/.2   | =              | -               |               |
gpt-5-pro                     | 15/15/120     | 7.5/7.5/60      | -              | -               |               |
gpt-4.1                       | 2/.5/8        | 1/1/4           | -              | 3.5/.875/14     |               |
gpt-4.1-mini                  | .4/.1/1.6     | .2/.2/.8        | -              | .7/.175/2.8     |               |
gpt-4.1-nano                  | .1/.025/.4    | .05/.05/.2      | -              | .2/.05/.8       |               |
gpt-4o                        | 2.5/1.25/10   | 1.25/1.25/5     | -              | 4.25/2.125/17   |               |
gpt-4o-2024-08-06             | 2.5/1.25/10   | 1.25/1.25/5     | -              | 4.25/2.125/17   |               |
gpt-4o-2024-05-13             | 5/5/15        | 2.5/2.5/7.5     | -              | 8.75/8.75/26.25 |               |
gpt-4o-mini                   | .15/.075/.6   | .075/.075/.3    | -              | .25/.125/1      |               |
chatgpt-4o-latest             | 5/5/15        | 2.5/2.5/7.5     | -              | -               |               |
gpt-4.5-preview               | 75/37.5/150   | 37.5/37.5/75    | -              | -               |               |
gpt-4-turbo                   | 10/10/30      | 5/5/15          | -              | -               |               |
gpt-4-turbo-preview           | 10/10/30      | 5/5/15          | -              | -               |               |
gpt-4                         | 30/30/60      | 15/15/30        | -              | -               |               |
gpt-4-32k                     | 60/60/120     | 30/30/60        | -              | -               |               |
gpt-3.5-turbo                 | .5/.5/1.5     | .25/.25/.75     | -              | -               |               |
gpt-3.5-turbo-0125            | .5/.5/1.5     | .25/.25/.75     | -              | -               |               |
gpt-3.5-turbo-1106            | 1/1/2         | 1/1/2           | -              | -               |               |
gpt-3.5-turbo-0613            | 1.5/1.5/2     | .75/.75/1       | -              | -               |               |
gpt-3.5-turbo-16k             | 3/3/4         | 1.5/1.5/2       | -              | -               |               |
gpt-3.5-turbo-instruct        | 1.5/1.5/2     | -               | -              | -               |               |
o1                            | 15/7.5/60     | 7.5/7.5/30      | -              | -               |               |
o1-preview                    | 15/7.5/60     | 7.5/7.5/30      | -              | -               |               |
o1-pro                        | 150/150/600   | 75/75/300       | -              | -               |               |
o1-mini                       | 1.1/.55/4.4   | .55/.55/2.2     | -              | -               |               |
o3                            | 2/.5/8        | 1/1/4           | 1/.25/4        | 3.5/.875/14     |               |
o3-pro                        | 20/20/80      | 10/10/40        | -              | -               |               |
o3-mini                       | 1.1/.55/4.4   | .55/.55/2.2     | -              | -               |               |
o4-mini                       | 1.1/.275/4.4  | .55/.55/2.2     | .55/.1375/2.2  | 2/.5/8          |               |
text-embedding-3-small        | .02/.02/0     | .01/.01/0       | -              | -               |               |
text-embedding-3-large        | .13/.13/0     | .065/.065/0     | -              | -               |               |
text-embedding-ada-002        | .1/.1/0       | .05/.05/0       | -              | -               |               |
ft:gpt-4o-2024-08-06:a::b     | 3.75/1.875/15 | 1.875/1.875/7.5 | -              | -               |               |
ft:gpt-4o-mini-2024-07-18:a:: | .3/.15/1.2    | .15/.15/.6      | -              | -               |               |
ft:gpt-3.5-turbo-0125:a::b    | 3/3/6         | 1.5/1.5/3       | -              | -               |               |
ft:gpt-4.1-2025-04-14:a::b    | 3/.75/12      | 1.5/1.5/6       | -              | -               |               |
ft:gpt-4.1-mini:a::b          | .8/.2/3.2     | .4/.4/1.6       | -              | -               |               |
ft:gpt-4.1-nano:a::b          | .2/.05/.8     | .1/.1/.4        | -              | -               |               |
ft:o4-mini-2025-04-16:a::b    | 4/1/16        | 2/2/8           | -              | -               |               |
ft:babbage-002:a::b           | 1.6/1.6/1.6   | .8/.8/.8        | -              | -               |               |`;

type Rates = readonly [input: number, cached: number, output: number];

const ROWS = MATRIX.trim()
  .split('\n')
  .map((line) => {
    const [model = '', standard = '', batch = '', flex = '', priority = '', write = '', long = ''] = line
      .split('|')
      .map((cell) => cell.trim());
    const tiers = { standard, batch, flex: flex === '=' ? batch : flex, priority };
    const [writeStandard, writeBatch, writePriority] = write.split(' ').map(Number);
    return {
      model,
      tiers,
      writes: { standard: writeStandard, batch: writeBatch, flex: writeBatch, priority: writePriority },
      hasWrites: write !== '',
      long,
    };
  });

const TIERS = ['standard', 'batch', 'flex', 'priority'] as const;
/** 2026-11-21T12:00:00Z */
const CREATED_SECONDS = 1_795_262_400;
const costOf = makeCostOf();

function price(
  model: string,
  tier: (typeof TIERS)[number],
  inputTokens: number,
  cachedInputTokens: number,
  cacheWriteTokens: number,
  outputTokens: number,
) {
  return costOf({
    isBilled: true,
    model,
    lane: tier === 'batch' ? 'batch' : 'live',
    // A batch body's own tier must not matter.
    tier: tier === 'standard' ? 'default' : tier === 'batch' ? 'priority' : tier,
    createdSeconds: CREATED_SECONDS,
    usage: { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens: Math.floor(outputTokens / 2) },
  });
}

/** Nano-dollars by plain decimal arithmetic in integers of 10^-16 dollars: a rate has at most 4 decimals per million. */
function expected(parts: readonly (readonly [tokens: number, usdPerMillion: number])[]): number {
  let sum = 0n;
  for (const [tokens, usd] of parts) sum += BigInt(tokens) * BigInt(Math.round(usd * 1e6));
  return Number((sum + 500n) / 1000n);
}

for (const row of ROWS) {
  test(`${row.model} costs what the pricing page says, in every tier, cached or not, long or not`, () => {
    for (const tier of TIERS) {
      const cell = row.tiers[tier];
      if (cell === '-') {
        assert.equal(price(row.model, tier, 1000, 0, 0, 10), null, `${tier} is not sold`);
        continue;
      }
      const [input, cached, output] = cell.split('/').map(Number) as unknown as Rates;
      assert.equal(
        price(row.model, tier, 1001, 0, 0, 77),
        expected([
          [1001, input],
          [77, output],
        ]),
        tier,
      );
      assert.equal(
        price(row.model, tier, 1001, 896, 0, 77),
        expected([
          [105, input],
          [896, cached],
          [77, output],
        ]),
        `${tier} cached`,
      );
      const write = row.hasWrites ? (row.writes[tier] as number) : input;
      assert.equal(
        price(row.model, tier, 1001, 0, 999, 77),
        expected([
          [2, input],
          [999, write],
          [77, output],
        ]),
        `${tier} written`,
      );
      const long = price(row.model, tier, 300_000, 1024, 0, 77);
      if (row.long === 'long-not-priority' && tier === 'priority') assert.equal(long, null, 'no long prompts at priority');
      else {
        const [double, half] = row.long === '' ? [1, 1] : [2, 1.5];
        assert.equal(
          long,
          expected([
            [298_976, input * double],
            [1024, cached * double],
            [77, output * half],
          ]),
          `${tier} long`,
        );
      }
    }
  });
}

test('standard prices agree with the rate book for every model that is not corrected', () => {
  let compared = 0;
  for (const { model } of ROWS) {
    for (const [inputTokens, cached] of [
      [1001, 0],
      [1001, 896],
      [300_000, 1024],
    ] as const) {
      const usage = { input_tokens: inputTokens, cache_read_tokens: cached, output_tokens: 77 };
      const oracle = calcPrice(usage, model, { providerId: 'openai', timestamp: new Date(CREATED_SECONDS * 1000) });
      if (oracle === null || model.startsWith('ft:') || (model.startsWith('text-') && cached > 0)) continue;
      if (oracle.model_price.cache_read_mtok === undefined && cached > 0) continue;
      const cost = price(model, 'standard', inputTokens, cached, 0, 77) as number;
      const output = oracle.model_price.output_mtok === undefined ? 0 : 1;
      if (output === 0) continue;
      assert.ok(Math.abs(cost / 1e9 - oracle.total_price) < 1e-9, `${model}: ${cost} against ${oracle.total_price}`);
      compared++;
    }
  }
  assert.ok(compared > 80, `only ${compared} comparisons`);
});
