/** What a call used, on the wire. */
export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly prompt_tokens_details?: { readonly cache_write_tokens?: number };
}

/** Nano-dollars per token, standard tier; half of it in a batch, cached tokens at the full input rate (price pages of 2026-09). */
const PRICES: Readonly<Record<string, { readonly input: number; readonly output: number; readonly write?: number }>> = {
  'gpt-4o-mini': { input: 150, output: 600 },
  'gpt-4.1-nano': { input: 100, output: 400 },
  'gpt-4.1-mini': { input: 400, output: 1600 },
  'gpt-5.6-luna': { input: 200, output: 1200, write: 250 },
  'gpt-4-turbo': { input: 10_000, output: 30_000 },
};

/** What a call cost, in nano-dollars: summed exactly, then halved in a batch, half a nano-dollar rounded up. Null for a model without a price here. */
export function priceCall(lane: 'batch' | 'live', model: string, usage: Usage): number | null {
  const name = Object.keys(PRICES).find((known) => model === known || model.startsWith(`${known}-2`));
  const price = name === undefined ? undefined : PRICES[name];
  if (price === undefined) return null;
  const { cache_write_tokens: written = 0 } = usage.prompt_tokens_details ?? {};
  const writes = price.write === undefined ? 0 : written * (price.write - price.input);
  const full = usage.prompt_tokens * price.input + writes + usage.completion_tokens * price.output;
  return lane === 'batch' ? Math.floor(full / 2 + 0.5) : full;
}
