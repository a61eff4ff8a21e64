import type { BatchUsage } from './wire-objects.ts';

/** The sum of a batch without an answered row. */
export const NO_BATCH_USAGE: BatchUsage = {
  input_tokens: 0,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 0,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 0,
};

type Usage = Readonly<Record<string, unknown>>;

/** Adds the usage of one row, chat, Responses or embeddings, to that of its batch. */
export function addUsage(sum: BatchUsage, usage: Usage): BatchUsage {
  const input = readCount(usage, 'input_tokens') || readCount(usage, 'prompt_tokens');
  const output = readCount(usage, 'output_tokens') || readCount(usage, 'completion_tokens');
  const cached = readCount((usage.input_tokens_details ?? usage.prompt_tokens_details) as Usage | undefined, 'cached_tokens');
  const reasoning = readCount((usage.output_tokens_details ?? usage.completion_tokens_details) as Usage | undefined, 'reasoning_tokens');
  return {
    input_tokens: sum.input_tokens + input,
    input_tokens_details: { cached_tokens: sum.input_tokens_details.cached_tokens + cached },
    output_tokens: sum.output_tokens + output,
    output_tokens_details: { reasoning_tokens: sum.output_tokens_details.reasoning_tokens + reasoning },
    total_tokens: sum.total_tokens + input + output,
  };
}

function readCount(usage: Usage | undefined, name: string): number {
  const count = usage?.[name];
  return typeof count === 'number' ? count : 0;
}
