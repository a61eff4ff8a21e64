import { listBaseNames } from '../core/model/base-model.ts';

/** Context and output limits of a model; null if unknown. */
export interface ModelLimits {
  /** Input and output tokens together. */
  readonly contextTokens: number | null;
  /** Output tokens, reasoning included. */
  readonly maxOutputTokens: number | null;
}

const UNKNOWN: ModelLimits = { contextTokens: null, maxOutputTokens: null };

/** Context and largest output by model (gpt-tokenizer 4.0.0 model data and openai-contract section 14, seen 2026-11-21). */
const LIMITS: ReadonlyMap<string, readonly [contextTokens: number, maxOutputTokens: number | null]> = new Map([
  ['gpt-6.2-astra', [1_050_000, 128_000]],
  ['gpt-6.2-sol', [1_050_000, 128_000]],
  ['gpt-6-astra', [1_050_000, 128_000]],
  ['gpt-6-sol', [1_050_000, 128_000]],
  ['gpt-6-luna', [1_050_000, 128_000]],
  ['gpt-6.1-sol', [1_050_000, 128_000]],
  ['gpt-6.1-terra', [1_050_000, 128_000]],
  ['gpt-5.6-sol', [1_050_000, 128_000]],
  ['gpt-5.6-terra', [1_050_000, 128_000]],
  ['gpt-5.6-luna', [1_050_000, 128_000]],
  ['gpt-5.5', [1_050_000, 128_000]],
  ['gpt-5.5-pro', [1_050_000, 128_000]],
  ['gpt-5.4', [1_050_000, 128_000]],
  ['gpt-5.4-pro', [1_050_000, 128_000]],
  ['gpt-5.4-mini', [400_000, 128_000]],
  ['gpt-5.4-nano', [400_000, 128_000]],
  ['gpt-5.3-codex', [400_000, 128_000]],
  ['gpt-5.3-chat-latest', [128_000, 16_384]],
  ['gpt-5.2', [400_000, 128_000]],
  ['gpt-5.2-codex', [400_000, 128_000]],
  ['gpt-5.2-pro', [400_000, 128_000]],
  ['gpt-5.2-chat-latest', [128_000, 16_384]],
  ['gpt-5.1', [400_000, 128_000]],
  ['gpt-5.1-codex', [400_000, 128_000]],
  ['gpt-5.1-codex-mini', [400_000, 128_000]],
  ['gpt-5.1-codex-max', [400_000, 128_000]],
  ['gpt-5.1-chat-latest', [128_000, 16_384]],
  ['gpt-5', [400_000, 128_000]],
  ['gpt-5-mini', [400_000, 128_000]],
  ['gpt-5-nano', [400_000, 128_000]],
  ['gpt-5-codex', [400_000, 128_000]],
  ['gpt-5-pro', [400_000, 272_000]],
  ['gpt-5-chat-latest', [128_000, 16_384]],
  ['gpt-4.5-preview', [128_000, 16_384]],
  ['gpt-4.1', [1_047_576, 32_768]],
  ['gpt-4.1-mini', [1_047_576, 32_768]],
  ['gpt-4.1-nano', [1_047_576, 32_768]],
  ['gpt-4o', [128_000, 16_384]],
  ['gpt-4o-2024-05-13', [128_000, 4_096]],
  ['gpt-4o-mini', [128_000, 16_384]],
  ['chatgpt-4o-latest', [128_000, 16_384]],
  ['gpt-4-turbo', [128_000, 4_096]],
  ['gpt-4-turbo-preview', [128_000, 4_096]],
  ['gpt-4-0125-preview', [128_000, 4_096]],
  ['gpt-4-1106-preview', [128_000, 4_096]],
  ['gpt-4', [8_192, 8_192]],
  ['gpt-4-0613', [8_192, 8_192]],
  ['gpt-4-0314', [8_192, 8_192]],
  ['gpt-4-32k', [32_768, 8_192]],
  ['gpt-4-32k-0613', [32_768, 8_192]],
  ['gpt-3.5-turbo', [16_385, 4_096]],
  ['gpt-3.5-turbo-0125', [16_385, 4_096]],
  ['gpt-3.5-turbo-1106', [16_385, 4_096]],
  // No separate output limit is published for these two: the context is their bound.
  ['gpt-3.5-turbo-0613', [16_385, null]],
  ['gpt-3.5-turbo-16k', [16_385, null]],
  ['gpt-3.5-turbo-instruct', [4_096, 4_096]],
  ['o1', [200_000, 100_000]],
  ['o1-preview', [128_000, 32_768]],
  ['o1-mini', [128_000, 65_536]],
  ['o1-pro', [200_000, 100_000]],
  ['o3', [200_000, 100_000]],
  ['o3-mini', [200_000, 100_000]],
  ['o3-pro', [200_000, 100_000]],
  ['o4-mini', [200_000, 100_000]],
  ['text-embedding-3-small', [8_192, 0]],
  ['text-embedding-3-large', [8_192, 0]],
  ['text-embedding-ada-002', [8_192, 0]],
]);

/** The limits of a model: by its own name, else without its snapshot date; a fine-tuned model has those of its base. */
export function modelLimits(model: string): ModelLimits {
  const [name, undated] = listBaseNames(model);
  const limits = LIMITS.get(name) ?? LIMITS.get(undated);
  return limits === undefined ? UNKNOWN : { contextTokens: limits[0], maxOutputTokens: limits[1] };
}
