import { isReasoningModel, readModelParams } from '../request/model-params.ts';
import type { Asked } from './asked.ts';

/** Caps on one answer, in tokens: for free text, for fields, and the addition for reasoning. */
const TEXT_TOKENS = 1_000;
const BASE_TOKENS = 100;
const FIELD_TOKENS = 100;
const THINKING_TOKENS = 4_000;

/** Parameters that fit the model, each with a reason. A cap keeps the worst case, and a budget, small. */
export function chooseParams({ model, output }: Asked): readonly (readonly [name: string, value: unknown, why: string])[] {
  const known = readModelParams(model);
  const effort = (['none', 'minimal', 'low'] as const).find((one) => known?.efforts.includes(one)) ?? null;
  const thinks = effort === 'low' || (effort === null && isReasoningModel(model));
  const answer = typeof output === 'string' ? TEXT_TOKENS : BASE_TOKENS + FIELD_TOKENS * countFields(output);
  const cap = answer + (thinks ? THINKING_TOKENS : 0);
  return [
    ...(effort === null ? [] : [['reasoning_effort', effort, describeEffort(effort)] as const]),
    ['max_output_tokens', cap, 'a cap keeps the worst case small; answers that need more are cut off'],
  ];
}

function countFields(output: object): number {
  return Object.values(output).reduce<number>(
    (sum, field) => sum + (typeof field === 'object' && field !== null ? countFields(field) : 1),
    0,
  );
}

function describeEffort(effort: 'none' | 'minimal' | 'low'): string {
  if (effort === 'low') return 'it reasons first, as little as possible';
  return 'it answers at once; with low or more it reasons first, and needs a cap of thousands';
}
