import { findReasoningRules, type ReasoningRules } from './reasoning-rules.ts';

/** What the simulator knows about a model: its snapshot, its context, and its parameters. */
export interface ModelRules {
  readonly id: string;
  /** The dated name in the answer. */
  readonly snapshot: string;
  readonly contextTokens: number;
  /** o-series and gpt-5 or later: `max_tokens` is refused, and answers may spend reasoning tokens. */
  readonly isReasoning: boolean;
  /** Its reasoning efforts; null for others. */
  readonly reasoning: ReasoningRules | null;
  readonly kind: 'chat' | 'embedding';
  /** Long equal prefixes are billed as cached (gpt-4o and newer). */
  readonly hasPromptCache: boolean;
  /** Writing the cache is reported too (gpt-5.6 and later). */
  readonly reportsCacheWrites: boolean;
}

const MILLION = 1_050_000;

/** Contexts as the API's published model pages gave them in 2026; the names are those of the price page of 2026-09-13. */
const CONTEXT_TOKENS: Readonly<Record<string, number>> = {
  'gpt-6-astra': MILLION,
  'gpt-6-sol': MILLION,
  'gpt-6-luna': MILLION,
  'gpt-6.2-astra': MILLION,
  'gpt-6.2-sol': MILLION,
  'gpt-6.1-sol': MILLION,
  'gpt-6.1-terra': MILLION,
  'gpt-5.6-sol': MILLION,
  'gpt-5.6-terra': MILLION,
  'gpt-5.6-luna': MILLION,
  'gpt-5.5': 1_000_000,
  'gpt-5.5-pro': 1_000_000,
  'gpt-5.4': MILLION,
  'gpt-5.4-mini': 400_000,
  'gpt-5.4-nano': 400_000,
  'gpt-5.4-pro': MILLION,
  'gpt-5.3-codex': 400_000,
  'gpt-5.2': 400_000,
  'gpt-5.2-pro': 400_000,
  'gpt-5.1': 400_000,
  'gpt-5': 400_000,
  'gpt-5-mini': 400_000,
  'gpt-5-nano': 400_000,
  'gpt-5-pro': 400_000,
  'gpt-4.1': 1_047_576,
  'gpt-4.1-mini': 1_047_576,
  'gpt-4.1-nano': 1_047_576,
  'gpt-4o': 128_000,
  'gpt-4o-mini': 128_000,
  'chatgpt-4o-latest': 128_000,
  'gpt-4.5-preview': 128_000,
  'gpt-4-turbo': 128_000,
  'gpt-4-turbo-preview': 128_000,
  'gpt-4': 8_192,
  'gpt-4-32k': 32_768,
  'gpt-3.5-turbo': 16_385,
  'gpt-3.5-turbo-16k': 16_385,
  'gpt-3.5-turbo-instruct': 4_096,
  o1: 200_000,
  'o1-preview': 128_000,
  'o1-pro': 200_000,
  'o1-mini': 128_000,
  o3: 200_000,
  'o3-pro': 200_000,
  'o3-mini': 200_000,
  'o4-mini': 200_000,
  'text-embedding-3-small': 8_192,
  'text-embedding-3-large': 8_192,
  'text-embedding-ada-002': 8_192,
};

const SNAPSHOTS: Readonly<Record<string, string>> = {
  'gpt-4o': 'gpt-4o-2024-08-06',
  'gpt-4o-mini': 'gpt-4o-mini-2024-07-18',
  'gpt-4.1': 'gpt-4.1-2025-04-14',
  'gpt-4.1-mini': 'gpt-4.1-mini-2025-04-14',
  'gpt-4.1-nano': 'gpt-4.1-nano-2025-04-14',
  'gpt-5': 'gpt-5-2025-08-07',
  'gpt-5-mini': 'gpt-5-mini-2025-08-07',
  'gpt-5-nano': 'gpt-5-nano-2025-08-07',
  'gpt-4-turbo': 'gpt-4-turbo-2024-04-09',
  'gpt-4': 'gpt-4-0613',
  'gpt-3.5-turbo': 'gpt-3.5-turbo-0125',
  o1: 'o1-2024-12-17',
  o3: 'o3-2025-04-16',
  'o3-mini': 'o3-mini-2025-01-31',
  'o4-mini': 'o4-mini-2025-04-16',
};

const DATE_SUFFIX = /-(\d{4}-\d{2}-\d{2}|\d{4})$/;
const known = new Map<string, ModelRules | undefined>();

/**
 * The rules of a model by alias, dated snapshot (`gpt-4o-2024-05-13`) or fine-tuned name (`ft:gpt-4o-mini:…`).
 * Undefined: the provider does not have it.
 */
export function findModelRules(model: string): ModelRules | undefined {
  if (!known.has(model)) {
    // Only existing names are cached, so that a flood of wrong ones cannot grow the map.
    const rules = readRules(model);
    if (rules === undefined) return undefined;
    known.set(model, rules);
  }
  return known.get(model);
}

/** Every alias, and every snapshot that answers for one: what GET /v1/models lists. */
export function listModels(): readonly string[] {
  return [...Object.keys(CONTEXT_TOKENS), ...Object.values(SNAPSHOTS)];
}

function readRules(model: string): ModelRules | undefined {
  const asked = model.startsWith('ft:') ? (model.split(':')[1] ?? '') : model;
  const family = Object.hasOwn(CONTEXT_TOKENS, asked) ? asked : asked.replace(DATE_SUFFIX, '');
  const contextTokens = Object.hasOwn(CONTEXT_TOKENS, family) ? CONTEXT_TOKENS[family] : undefined;
  if (contextTokens === undefined) return undefined;
  const generation = Number(/^gpt-(\d+(?:\.\d+)?)/.exec(family)?.[1] ?? 0);
  const isReasoning = /^o\d/.test(family) || generation >= 5;
  return {
    id: model,
    snapshot: model === family ? (SNAPSHOTS[family] ?? model) : model,
    contextTokens,
    isReasoning,
    reasoning: isReasoning ? findReasoningRules(family) : null,
    kind: family.startsWith('text-embedding') ? 'embedding' : 'chat',
    hasPromptCache: isReasoning || family.startsWith('gpt-4o') || generation > 4,
    reportsCacheWrites: generation >= 5.6,
  };
}
