/**
 * Reasoning tokens of one answer by effort, for a job whose own answers are not measured yet: rounded medians over OpenAI's models of the means
 * that BullshitBench v2 measured, over 100 short questions each (petergpt/bullshit-benchmark, data/v2/latest/collection_stats.json of commit
 * 08d86f0, seen 2026-11-30). `medium` are the models left at their default, and gpt-5.5-pro. `minimal` is not among them: OpenAI's guide to
 * GPT-5 says "very few" (davidmigloz/langchain_dart#760).
 */
const MEDIAN_TOKENS: Readonly<Record<string, number>> = {
  none: 0,
  minimal: 0,
  low: 100,
  medium: 500,
  high: 1_000,
  xhigh: 4_500,
  max: 4_500,
};

/** How far above the median a model may be: in the same source gpt-5 took four times it, and, pro models aside, no other took more. */
export const REASONING_SPREAD = 4;

/** The reasoning assumed for an answer at an effort; an unknown one counts as `medium`, the default of most models. */
export function assumeReasoningTokens(effort: string): number {
  return MEDIAN_TOKENS[effort] ?? (MEDIAN_TOKENS.medium as number);
}
