/**
 * Tokens reported by the API for one attempt. Subsets are included in their totals, as on the wire:
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

/** A mutable usage: adding to it creates no object. */
export type UsageSum = { -readonly [Field in keyof Usage]: Usage[Field] };

/** Adds a usage to a sum. */
export function growUsage(sum: UsageSum, added: Usage): void {
  sum.inputTokens += added.inputTokens;
  sum.cachedInputTokens += added.cachedInputTokens;
  sum.cacheWriteTokens += added.cacheWriteTokens;
  sum.outputTokens += added.outputTokens;
  sum.reasoningTokens += added.reasoningTokens;
}

/**
 * Reads the `usage` object of a chat completion, a response or an embedding. `total_tokens` is a checksum: it shows whether reasoning is part
 * of the output, or separate and has to be added (openai-contract section 21, seen 2026-11-29).
 * @returns null if a count is missing or inconsistent: not a number, negative, fractional, beyond a thousand million, or larger than the total it
 * is part of
 */
export function readUsage(value: unknown, { hasOutput = true } = {}): Usage | null {
  if (!isObject(value)) return null;
  const inputDetails = objectOf(value.prompt_tokens_details ?? value.input_tokens_details);
  const outputDetails = objectOf(value.completion_tokens_details ?? value.output_tokens_details);
  const inputTokens = countOf(value.prompt_tokens ?? value.input_tokens);
  const writtenTokens = countOf(
    value.completion_tokens ?? value.output_tokens ?? (hasOutput && value.total_tokens !== inputTokens ? null : 0),
  );
  const cachedInputTokens = countOf(inputDetails.cached_tokens ?? 0);
  const cacheWriteTokens = countOf(inputDetails.cache_write_tokens ?? 0);
  const reasoningTokens = countOf(outputDetails.reasoning_tokens ?? 0);
  if (inputTokens === null || writtenTokens === null || cachedInputTokens === null || cacheWriteTokens === null || reasoningTokens === null)
    return null;
  const isBeside = value.total_tokens === inputTokens + writtenTokens + reasoningTokens;
  const isInside = isUntold(value.total_tokens) || value.total_tokens === inputTokens + writtenTokens;
  if (!isInside && !isBeside) return null;
  const outputTokens = isInside ? writtenTokens : writtenTokens + reasoningTokens;
  if (cachedInputTokens + cacheWriteTokens > inputTokens || reasoningTokens > outputTokens) return null;
  return { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens };
}

/** The usage of a whole answer: an embedding, which has `data`, has no output. */
export function readBodyUsage(body: Readonly<Record<string, unknown>>): Usage | null {
  return readUsage(body.usage, { hasOutput: !Array.isArray(body.data) });
}

/** Whether a `usage` object counts anything at all, correct or not: then the provider worked, and may bill it. */
export function tellsUsage(value: unknown): boolean {
  return isObject(value) && Object.values(value).some((count) => count !== 0 && (typeof count === 'number' || typeof count === 'string'));
}

function isUntold(total: unknown): boolean {
  return total === undefined || total === null || total === 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function objectOf(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}

/** No answer has more (models of 2026-11 accept and return two million); sums of such counts stay exact over a million rows. */
const MAX_TOKENS = 1e9;

function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_TOKENS ? value : null;
}
