import type { Job } from '../../core/job.ts';
import type { Path } from '../../core/problem-path.ts';
import { formatCount } from '../../core/wording/format-count.ts';
import { joinWords } from '../../core/wording/join-words.ts';
import { readEffort, readExtra } from './extra-params.ts';
import { type Effort, isReasoningModel, readModelParams } from './model-params.ts';

/** A parameter that the model of a job refuses, or that leaves no room for its answers. */
export interface ParamDoubt {
  readonly path: Path;
  /** What is wrong and what to do, for a person. */
  readonly message: string;
  /** Whether every request is known to be refused, according to the provider; otherwise the provider decides. */
  readonly isCertain: boolean;
}

/** Reasoning uses the output cap: below this, answers end before they begin (openai-contract section 11, seen 2026-11-21). */
const COMFORTABLE_REASONING_CAP = 1_000;

/** Any value but the default is refused while a model reasons: "Only the default (1) value is supported". */
const ONLY_DEFAULT = ['temperature', 'top_p'] as const;
const DEFAULT_VALUE = 1;
/** Refused by most models while reasoning, whatever the value. */
const MOSTLY_REFUSED = ['presence_penalty', 'frequency_penalty', 'logprobs', 'top_logprobs', 'stop'] as const;

/**
 * Which of a job's parameters a model does not accept, and what would be paid for in vain; for another model, what that one would not accept.
 * Parameters in `params.extra` count too. Rules: OpenAI's guide to the latest model, as implemented in vercel/ai (seen 2026-08-22): before
 * gpt-5.1 a reasoning model accepts no temperature at all, since then it does with effort `none`.
 */
export function findParamDoubts({ model, params, confidence }: Pick<Job, 'model' | 'params' | 'confidence'>): readonly ParamDoubt[] {
  const extra = readExtra(params);
  const effort = readEffort(params);
  const set = { ...extra, ...params, ...(effort === undefined ? {} : { reasoning_effort: effort }) };
  const locate = (name: string): Path => (Object.hasOwn(params, name) ? ['params', name] : ['params', 'extra', name]);
  return [
    ...doubtEffort(model, set.reasoning_effort, locate('reasoning_effort')),
    ...(isReasoningModel(model) ? doubtSampling(model, confidence === null ? set : { logprobs: true, ...set }, locate) : []),
  ];
}

function doubtEffort(model: string, effort: unknown, path: Path): readonly ParamDoubt[] {
  const known = readModelParams(model);
  if (effort === undefined || known === null || known.efforts.includes(effort as Effort)) return [];
  const message =
    known.efforts.length === 0
      ? `${path.join('.')}: ${model} is not known to reason; leave it out`
      : `${path.join('.')}: ${model} is not known to take ${String(effort)}, only ${joinWords(known.efforts)}`;
  return [{ path, message, isCertain: false }];
}

function doubtSampling(model: string, set: Readonly<Record<string, unknown>>, locate: (name: string) => Path): readonly ParamDoubt[] {
  const known = readModelParams(model);
  const effort = set.reasoning_effort ?? known?.defaultEffort;
  const canAnswerAtOnce = known?.efforts.includes('none') ?? true;
  if (effort === 'none' && canAnswerAtOnce) return [];
  const remedy = `leave it out${canAnswerAtOnce && known !== null ? ', or set params.reasoning_effort: none' : ''}`;
  const isCertain = known !== null && effort !== null && effort !== 'none';
  const doubts: ParamDoubt[] = [];
  for (const name of ONLY_DEFAULT) {
    if (set[name] === undefined || set[name] === DEFAULT_VALUE) continue;
    const path = locate(name);
    const takes = isCertain ? 'takes' : 'probably takes';
    const message = `${path.join('.')}: ${model} is a reasoning model and ${takes} only the default, ${DEFAULT_VALUE}; ${remedy}`;
    doubts.push({ path, message, isCertain });
  }
  const refused = MOSTLY_REFUSED.filter((name) => set[name] !== undefined);
  if (refused[0] !== undefined) {
    const message = `${model} is a reasoning model; most of them refuse ${refused.join(', ')}: ${remedy}. Try one row first: run --limit 1`;
    doubts.push({ path: locate(refused[0]), message, isCertain: false });
  }
  const cap = set.max_output_tokens;
  if (typeof cap === 'number' && cap < COMFORTABLE_REASONING_CAP) {
    const message = `${model} spends output tokens on reasoning; with max_output_tokens ${formatCount(cap)} many answers will be cut short. ${formatCount(COMFORTABLE_REASONING_CAP)} or more is safer`;
    doubts.push({ path: locate('max_output_tokens'), message, isCertain: false });
  }
  return doubts;
}
