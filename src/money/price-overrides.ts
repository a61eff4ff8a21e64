import type { DollarsPerMillion } from '../core/custom-price.ts';

/** A price of our own, which takes precedence over the rate book. */
export interface PriceOverride {
  /** Tested against the model name as reported by the API, case-insensitive. */
  readonly match: RegExp;
  /** The model's name in the tier table. */
  readonly pricedAs: string;
  /** First UTC day of validity; null: always. */
  readonly effectiveFrom: string | null;
  /** First UTC day on which it is no longer valid; null: no end. */
  readonly effectiveTo: string | null;
  readonly usd: DollarsPerMillion;
  /** Above this much input the whole request is long-context; null: no such rule. */
  readonly longContextOverTokens: number | null;
  readonly source: string;
  readonly note: string;
}

/** The day on which the prices below and the tier table were last compared with their sources. */
export const pricesAsOf = '2026-11-29';

/** Prices that the rate book lacks or has wrong (OpenAI's pages and public price lists, seen 2026-11-29). The first row that matches wins. */
export const PRICE_OVERRIDES: readonly PriceOverride[] = [
  {
    match: /^gpt-6\.2-astra(-\d{4}-\d{2}-\d{2})?$/i,
    pricedAs: 'gpt-6.2-astra',
    effectiveFrom: '2026-11-17',
    effectiveTo: null,
    usd: { input: 8, cached: 0.4, write: 10, output: 40 },
    longContextOverTokens: 272_000,
    source: 'models.dev of 2026-11-20 and BerriAI/litellm discussion 52347',
    note: 'not in the rate book; its other tiers are taken to be those of gpt-6.1-sol (not confirmed)',
  },
  {
    match: /^gpt-6\.2-sol(-\d{4}-\d{2}-\d{2})?$/i,
    pricedAs: 'gpt-6.2-sol',
    effectiveFrom: '2026-11-17',
    effectiveTo: null,
    usd: { input: 2, cached: 0.1, write: 2.5, output: 10 },
    longContextOverTokens: 272_000,
    source: 'models.dev of 2026-11-20 and BerriAI/litellm discussion 52347',
    note: 'not in the rate book; its other tiers are taken to be those of gpt-6.1-sol (not confirmed)',
  },
  {
    match: /^chat-latest$/i,
    pricedAs: 'chat-latest',
    effectiveFrom: null,
    effectiveTo: null,
    usd: { input: 5, cached: 0.5, write: null, output: 30 },
    longContextOverTokens: null,
    source: 'models.dev of 2026-11-20',
    note: 'an alias of the model behind ChatGPT, not in the rate book',
  },
  {
    match: /^gpt-6\.1-sol(-\d{4}-\d{2}-\d{2})?$/i,
    pricedAs: 'gpt-6.1-sol',
    effectiveFrom: '2026-09-29',
    effectiveTo: null,
    usd: { input: 2, cached: 0.1, write: 2.5, output: 10 },
    longContextOverTokens: 272_000,
    source: 'LiteLLM price map and vendor notes, 2026-11-21',
    note: 'not in the rate book',
  },
  {
    match: /^gpt-6\.1-terra(-\d{4}-\d{2}-\d{2})?$/i,
    pricedAs: 'gpt-6.1-terra',
    effectiveFrom: '2026-10-26',
    effectiveTo: null,
    usd: { input: 1, cached: 0.05, write: 1.25, output: 5 },
    longContextOverTokens: 272_000,
    source: 'LiteLLM price map and vendor notes, 2026-11-21',
    note: 'not in the rate book',
  },
  {
    // Only the alias moved; the dated snapshots kept their own prices.
    match: /^gpt-4o$/i,
    pricedAs: 'gpt-4o-2024-05-13',
    effectiveFrom: null,
    effectiveTo: '2024-10-02',
    usd: { input: 5, cached: null, write: null, output: 15 },
    longContextOverTokens: null,
    source: 'OpenAI pricing page at launch',
    note: 'the alias named gpt-4o-2024-05-13 until 2024-10-02 (the day of the switch is not confirmed)',
  },
  {
    match: /^o3(-2025-04-16)?$/i,
    pricedAs: 'o3',
    effectiveFrom: null,
    effectiveTo: '2025-06-10',
    usd: { input: 10, cached: 2.5, write: null, output: 40 },
    longContextOverTokens: null,
    source: 'OpenAI pricing page at launch',
    note: 'the rate book has the later cached rate with the launch price',
  },
  {
    match: /^ft:gpt-4o-mini(-\d{4}-\d{2}-\d{2})?:/i,
    pricedAs: 'ft:gpt-4o-mini',
    effectiveFrom: null,
    effectiveTo: null,
    usd: { input: 0.3, cached: 0.15, write: null, output: 1.2 },
    longContextOverTokens: null,
    source: 'openai.com/index/api-prompt-caching',
    note: 'the rate book has no cached rate',
  },
  {
    match: /^ft:gpt-4o(-\d{4}-\d{2}-\d{2})?:/i,
    pricedAs: 'ft:gpt-4o',
    effectiveFrom: null,
    effectiveTo: null,
    usd: { input: 3.75, cached: 1.875, write: null, output: 15 },
    longContextOverTokens: null,
    source: 'openai.com/index/api-prompt-caching',
    note: 'the rate book has no cached rate',
  },
  {
    match: /^ft:gpt-3\.5-turbo(-\d{4})?:/i,
    pricedAs: 'ft:gpt-3.5-turbo',
    effectiveFrom: null,
    effectiveTo: null,
    usd: { input: 3, cached: null, write: null, output: 6 },
    longContextOverTokens: null,
    source: 'OpenAI pricing page, 2026-11-21',
    note: '',
  },
  {
    match: /^ft:gpt-4\.1-mini(-\d{4}-\d{2}-\d{2})?:/i,
    pricedAs: 'ft:gpt-4.1-mini',
    effectiveFrom: null,
    effectiveTo: null,
    usd: { input: 0.8, cached: 0.2, write: null, output: 3.2 },
    longContextOverTokens: null,
    source: 'LiteLLM price map of 2026-07-24 and OpenAI’s pages as quoted in public, seen 2026-11-29',
    note: 'not in the rate book',
  },
  {
    match: /^ft:gpt-4\.1-nano(-\d{4}-\d{2}-\d{2})?:/i,
    pricedAs: 'ft:gpt-4.1-nano',
    effectiveFrom: null,
    effectiveTo: null,
    usd: { input: 0.2, cached: 0.05, write: null, output: 0.8 },
    longContextOverTokens: null,
    source: 'LiteLLM price map of 2026-07-24 and OpenAI’s pages as quoted in public, seen 2026-11-29',
    note: 'not in the rate book',
  },
  {
    match: /^ft:gpt-4\.1(-\d{4}-\d{2}-\d{2})?:/i,
    pricedAs: 'ft:gpt-4.1',
    effectiveFrom: null,
    effectiveTo: null,
    usd: { input: 3, cached: 0.75, write: null, output: 12 },
    longContextOverTokens: null,
    source: 'LiteLLM price map of 2026-07-24 and OpenAI’s pages as quoted in public, seen 2026-11-29',
    note: 'not in the rate book',
  },
  {
    match: /^ft:o4-mini(-\d{4}-\d{2}-\d{2})?:/i,
    pricedAs: 'ft:o4-mini',
    effectiveFrom: null,
    effectiveTo: null,
    usd: { input: 4, cached: 1, write: null, output: 16 },
    longContextOverTokens: null,
    source: 'LiteLLM price map of 2026-07-24 and OpenAI’s pages as quoted in public, seen 2026-11-29',
    note: 'not in the rate book',
  },
  {
    match: /^ft:babbage-002:/i,
    pricedAs: 'ft:babbage-002',
    effectiveFrom: null,
    effectiveTo: null,
    usd: { input: 1.6, cached: null, write: null, output: 1.6 },
    longContextOverTokens: null,
    source: 'LiteLLM price map of 2026-07-24 and OpenAI’s pages as quoted in public, seen 2026-11-29',
    note: 'not in the rate book',
  },
  {
    match: /^ft:davinci-002:/i,
    pricedAs: 'ft:davinci-002',
    effectiveFrom: null,
    effectiveTo: null,
    usd: { input: 12, cached: null, write: null, output: 12 },
    longContextOverTokens: null,
    source: 'LiteLLM price map of 2026-07-24 and OpenAI’s pages as quoted in public, seen 2026-11-29',
    note: 'not in the rate book',
  },
];

/** Prices in the rate book that need a note. */
export const NOTES: readonly { readonly pricedAs: string; readonly effectiveFrom: string; readonly note: string }[] = [
  {
    pricedAs: 'gpt-5.6-sol',
    effectiveFrom: '2026-11-22',
    note: 'the promotional price was announced until 2026-11-21; 5 / 30 may have followed (not confirmed)',
  },
];
