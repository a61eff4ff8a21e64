import type { World } from './run-world.ts';

/** Usage as the provider states it, on its bill. */
export interface WireUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly prompt_tokens_details?: { readonly cached_tokens?: number };
}

/** What the provider would charge for gpt-4o-mini, by its own bill: nano-dollars per token from the price page, half of it in batches. */
export function billNanoUsd(world: World): number {
  return world.simulator.bill().reduce((sum, line) => {
    const { prompt_tokens: prompt, completion_tokens: output, prompt_tokens_details: details } = line.usage as unknown as WireUsage;
    if (line.lane === 'batch') return sum + Math.floor((prompt * 150 + output * 600) / 2 + 0.5);
    const cached = details?.cached_tokens ?? 0;
    return sum + (prompt - cached) * 150 + cached * 75 + output * 600;
  }, 0);
}
