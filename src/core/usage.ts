/**
 * Tokens the API reported for one attempt. Subsets are included in their totals, as on the wire:
 * cached and cache-write tokens are part of the input, reasoning tokens part of the output.
 */
export interface Usage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly cacheWriteTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}

export const NO_USAGE: Usage = { inputTokens: 0, cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens: 0, reasoningTokens: 0 };

/** Adds two usages field by field. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    reasoningTokens: a.reasoningTokens + b.reasoningTokens,
  };
}

/**
 * Reads the `usage` object of a chat completion, a response or an embedding.
 * @returns null when it is missing or any count is negative, fractional or larger than the total it is part of
 */
export function readUsage(value: unknown): Usage | null {
  if (typeof value !== 'object' || value === null) return null;
  const usage = value as Record<string, unknown>;
  const inputDetails = objectOf(usage.prompt_tokens_details ?? usage.input_tokens_details);
  const outputDetails = objectOf(usage.completion_tokens_details ?? usage.output_tokens_details);
  const inputTokens = countOf(usage.prompt_tokens ?? usage.input_tokens);
  const outputTokens = countOf(usage.completion_tokens ?? usage.output_tokens ?? 0);
  const cachedInputTokens = countOf(inputDetails.cached_tokens ?? 0);
  const cacheWriteTokens = countOf(inputDetails.cache_write_tokens ?? 0);
  const reasoningTokens = countOf(outputDetails.reasoning_tokens ?? 0);
  if (inputTokens === null || outputTokens === null || cachedInputTokens === null || cacheWriteTokens === null || reasoningTokens === null)
    return null;
  if (cachedInputTokens + cacheWriteTokens > inputTokens || reasoningTokens > outputTokens) return null;
  return { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens };
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
