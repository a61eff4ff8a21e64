import type { Usage } from '../../core/usage.ts';
import type { AdvertisedLimits } from './rate-headers.ts';
import { MOST_TOLD_BURST_SECONDS } from './throttle-rules.ts';

/** Answers after which observed outputs replace the cap. */
const ENOUGH_OUTPUTS = 50;
/** The same while the provider reports that plenty is left, so that a longer answer does no harm; one and a half times the longest counts. */
const FEW_OUTPUTS = 5;
const LONGER = 1.5;
/** Answers after which estimates of prompts are corrected: their errors are similar, so fewer suffice. */
const ENOUGH_PROMPTS = 10;
/** Only the latest answers count, so that a changing table is followed. */
const REMEMBERED_ANSWERS = 200;
/** How many values may arrive before they are sorted again. */
const SORTED_EVERY = 10;
/** The assumed output if there is neither a cap nor an answer. */
const ASSUMED_OUTPUT_TOKENS = 1_000;

/** More than the largest burst, in seconds of the limit. */
const PLENTY_SECONDS = 2 * MOST_TOLD_BURST_SECONDS;

/** Learns what calls really use, so that a limit is not filled with unused tokens. */
export interface LearnedTokens {
  /** Tokens to reserve. `chargesCap`: the provider charges the cap whatever is used, so usage is irrelevant. */
  estimate(call: { readonly promptTokens: number; readonly capTokens: number | null; readonly chargesCap: boolean }): number;
  learn(promptTokens: number, usage: Usage): void;
  /** What the provider reports as left. */
  hear(told: Pick<AdvertisedLimits, 'tokensPerMinute' | 'remainingTokens'>): void;
  /** Whether estimates still shrink as answers arrive: earlier ones are then too high. */
  readonly isLearning: boolean;
}

export function createLearnedTokens(): LearnedTokens {
  const outputs = createSample();
  const promptShares = createSample();
  let isPlentyLeft = false;
  return {
    estimate({ promptTokens, capTokens, chargesCap }) {
      const prompt = promptShares.size < ENOUGH_PROMPTS ? promptTokens : Math.ceil(promptTokens * promptShares.p95());
      const isCapped = capTokens !== null && chargesCap;
      if (isCapped || outputs.size < (isPlentyLeft ? FEW_OUTPUTS : ENOUGH_OUTPUTS)) return prompt + (capTokens ?? ASSUMED_OUTPUT_TOKENS);
      const output = outputs.size < ENOUGH_OUTPUTS ? Math.ceil(outputs.longest() * LONGER) : outputs.p95();
      return prompt + Math.min(output, capTokens ?? Number.POSITIVE_INFINITY);
    },
    hear({ tokensPerMinute, remainingTokens }) {
      if (tokensPerMinute !== null && remainingTokens !== null) isPlentyLeft = remainingTokens >= (tokensPerMinute * PLENTY_SECONDS) / 60;
    },
    get isLearning() {
      return outputs.size <= ENOUGH_OUTPUTS;
    },
    learn(promptTokens, usage) {
      outputs.add(usage.outputTokens);
      if (promptTokens > 0) promptShares.add(usage.inputTokens / promptTokens);
    },
  };
}

/** The latest values, and their 95th percentile; 0 without any. */
function createSample() {
  const values: number[] = [];
  let added = 0;
  let p95 = 0;
  let sortedAt = 0;
  return {
    get size() {
      return values.length;
    },
    add(value: number): void {
      values[added % REMEMBERED_ANSWERS] = value;
      added += 1;
    },
    longest: () => Math.max(...values),
    p95(): number {
      if (sortedAt === 0 || added - sortedAt >= SORTED_EVERY) {
        sortedAt = added;
        p95 = values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1] ?? 0;
      }
      return p95;
    },
  };
}
