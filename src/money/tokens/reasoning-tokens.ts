/**
 * Reasoning tokens for each token of an answer, by effort: rounded medians over OpenAI's models of what BullshitBench v2 measured, 100 short
 * questions for each model and effort (petergpt/bullshit-benchmark, data/v2/latest/collection_stats.json of commit 08d86f0, seen 2026-11-30).
 * `medium` are the models left at their default, and gpt-5.5-pro. `minimal` is not measured there: OpenAI's guide to GPT-5 says "very few"
 * (davidmigloz/langchain_dart#760).
 */
const TOKENS_PER_TOKEN: Readonly<Record<string, number>> = {
  none: 0,
  minimal: 0,
  low: 0.25,
  medium: 0.8,
  high: 2.3,
  xhigh: 8,
  max: 8,
};

/**
 * A shorter answer is thought about as long as one of this length, which makes 60 tokens at `medium`: 46 calls of an agent took 62 on average
 * (gpt-5.5, openai/codex#30364), a number as the answer 17 and 21 (BerriAI/litellm#39850).
 */
const SHORT_ANSWER_TOKENS = 75;

/**
 * The reasoning assumed for an answer of a length, for a job whose own answers are not measured yet. An unknown effort counts as `medium`, the
 * default of most models.
 */
export function assumeReasoningTokens(effort: string, answerTokens: number): number {
  return (TOKENS_PER_TOKEN[effort] ?? (TOKENS_PER_TOKEN.medium as number)) * Math.max(answerTokens, SHORT_ANSWER_TOKENS);
}
