import type { Job } from '../../core/job.ts';
import { listBaseNames } from '../../core/model/base-model.ts';
import { readEffort } from './extra-params.ts';

/** Levels of reasoning effort, from least to most. */
export const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

export type Effort = (typeof EFFORTS)[number];

/** The parameters of a known model that not every model supports. */
export interface ModelParams {
  /** Values of `reasoning_effort`; empty: the model has no such parameter, and does not reason. */
  readonly efforts: readonly Effort[];
  /** The default; null if it is not published. */
  readonly defaultEffort: Effort | null;
}

/**
 * Efforts by model: model pages of gpt-6-luna and gpt-6.1-sol, and the thinking levels of models.dev (2026-11-20); read 2026-11-29. Defaults:
 * model pages of gpt-6.1-terra and gpt-6-luna; gpt-5.1, 5.2 and 5.4 as in BerriAI/litellm#17011 and langchain-ai/langchain#35424.
 */
const REASONING: readonly (readonly [models: string, efforts: string, defaultEffort: Effort | null])[] = [
  ['gpt-6.2-astra gpt-6.2-sol gpt-6.1-sol gpt-6-astra gpt-6-cyber', 'low medium high xhigh max', 'medium'],
  ['gpt-6.1-terra gpt-6-sol gpt-6-luna gpt-5.6-sol gpt-5.6-terra gpt-5.6-luna', 'none low medium high xhigh max', 'medium'],
  ['gpt-5.5', 'none low medium high xhigh', null],
  ['gpt-5.3-codex', 'none low medium high xhigh', null],
  ['gpt-5.4 gpt-5.4-mini gpt-5.4-nano gpt-5.2', 'none low medium high xhigh', 'none'],
  ['gpt-5.5-pro gpt-5.4-pro gpt-5.2-pro', 'medium high xhigh', null],
  ['gpt-5.1', 'none low medium high', 'none'],
  ['gpt-5 gpt-5-mini gpt-5-nano', 'minimal low medium high', 'medium'],
  ['gpt-5-pro', 'high', 'high'],
  ['o1 o1-pro o3 o3-pro o3-mini o4-mini', 'low medium high', 'medium'],
];

/** Models that answer at once: they have no effort, and accept sampling parameters. Azure writes gpt-35. */
const ANSWERS_AT_ONCE = /^(gpt-4|gpt-3\.?5|chatgpt-4o|chat-latest$|gpt-5(\.\d+)?-chat)/;

const KNOWN: ReadonlyMap<string, ModelParams> = new Map(
  REASONING.flatMap(([models, efforts, defaultEffort]) => {
    const params = { efforts: efforts.split(' ') as Effort[], defaultEffort };
    return models.split(' ').map((model) => [model, params] as const);
  }),
);

/** What a model accepts; a snapshot or a fine-tuned model accepts what its base model does. Null: nothing is known about it. */
export function readModelParams(model: string): ModelParams | null {
  const [name, undated] = listBaseNames(model);
  if (ANSWERS_AT_ONCE.test(name)) return { efforts: [], defaultEffort: null };
  return KNOWN.get(name) ?? KNOWN.get(undated) ?? null;
}

/** Reasoning models: the o-series, gpt-5 and later, including their fine-tunes. Chat variants of gpt-5 are not. */
export function isReasoningModel(model: string): boolean {
  const [name] = listBaseNames(model);
  return !ANSWERS_AT_ONCE.test(name) && (/^o\d/.test(name) || /^gpt-([5-9]|\d\d)/.test(name));
}

/** The effort a request is answered with: its own, else its model's default, `medium` if none is published. A model that does not reason: `none`. */
export function decideEffort({ model, params }: Pick<Job, 'model' | 'params'>): string {
  if (!isReasoningModel(model)) return 'none';
  return String(readEffort(params) ?? readModelParams(model)?.defaultEffort ?? 'medium');
}

/** Whether a request may be billed for reasoning. */
export function mayThink(job: Pick<Job, 'model' | 'params'>): boolean {
  return decideEffort(job) !== 'none';
}
