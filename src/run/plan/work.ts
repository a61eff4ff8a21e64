import type { Job } from '../../core/job.ts';
import { splitByModel } from '../../core/models/split-by-model.ts';
import { setParams } from '../../input/request/extra-params.ts';
import { mayThink } from '../../input/request/model-params.ts';
import { longestAnswerTokens, readTier } from '../../money/cost-bound.ts';
import type { AnswerLengths } from '../open/answer-history.ts';
import { forecastAnswer, forecastAsked } from './answer-forecast.ts';
import { readCacheWish } from './cache.ts';
import type { PromptSum, Work, WorkPart } from './cost.ts';
import type { CountedPrompts, PromptGroup } from './prompts.ts';
import type { TimedWork } from './time.ts';

/** Names, in the set of parameters requests are counted under, the group of the job they belong to. */
export const REQUEST_GROUP = 'request group';

/** The totals of all requests of a plan. */
export interface WorkSums {
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputExpectedTokens: number;
  readonly outputWorstTokens: number;
}

/** The counted prompts and the expected answers; each group with its own parameters. */
export function makeWork(job: Job, counted: CountedPrompts & Pick<Work, 'beginningTokens'>, answers: AnswerLengths | null): Work {
  const { unsizedTokens, leadingTokens, writable, beginningTokens } = counted;
  const models = splitByModel(job);
  const parts = counted.groups
    .filter(({ set }, index) => job.requests === undefined || index > 0 || REQUEST_GROUP in set)
    .map((group) => makePart(models[Number(group.set[REQUEST_GROUP] ?? 0)] ?? job, group, answers));
  const cacheWish = readCacheWish(job);
  return { parts, reasksPerRequest: answers?.reasksPerRequest ?? 0, unsizedTokens, leadingTokens, writable, beginningTokens, cacheWish };
}

export function sumWork({ parts }: Work): WorkSums {
  const sum = (pick: (part: WorkPart, prompts: PromptSum) => number) =>
    parts.reduce((total, part) => total + pick(part, part.short) + pick(part, part.long), 0);
  return {
    requests: sum((_, { requests }) => requests),
    inputTokens: sum((_, { tokens }) => tokens),
    outputExpectedTokens: Math.round(sum(({ expectedOutputTokens }, { requests }) => requests * expectedOutputTokens)),
    outputWorstTokens: sum(({ worstOutputTokens }, { answerCaps }) => answerCaps * worstOutputTokens),
  };
}

/** The same for each model. @param ownModel the model of parts that name none */
export function sumWorkByModel(work: Work, ownModel: string): readonly TimedWork[] {
  const models = new Set(work.parts.map(({ model = ownModel }) => model));
  return [...models].map((model) => {
    const { requests, inputTokens, outputExpectedTokens } = sumWork({
      ...work,
      parts: work.parts.filter((part) => (part.model ?? ownModel) === model),
    });
    return { model, requests, inputTokens, outputTokens: outputExpectedTokens };
  });
}

/** The same work for a model that is assumed to reason more. @param tokens of one answer; from 0 down nothing is added */
export function withReasoning(work: Work, tokens: number): Work {
  if (tokens <= 0) return work;
  const parts = work.parts.map((part) => ({
    ...part,
    expectedOutputTokens: Math.min(part.expectedOutputTokens + tokens, part.worstOutputTokens),
    p95OutputTokens: null,
    guessFactor: GUESS_FACTOR_REASONING,
  }));
  return { ...work, parts };
}

/** How much a model reasons cannot be told beforehand: the same question has been seen to take several times what is assumed. */
const GUESS_FACTOR_REASONING = 4;

function makePart(job: Job, { set, short, long }: PromptGroup, answers: AnswerLengths | null): WorkPart {
  const asked = REQUEST_GROUP in set ? job : { ...job, params: setParams(job.params, set) };
  const { expectedTokens, p95Tokens, isMeasured } =
    REQUEST_GROUP in set ? forecastAnswer(asked, answers) : forecastAsked(job, asked, answers);
  return {
    short,
    long,
    ...(REQUEST_GROUP in set ? { model: asked.model } : {}),
    tier: readTier(asked.params),
    expectedOutputTokens: expectedTokens,
    p95OutputTokens: isMeasured ? p95Tokens : null,
    guessFactor: mayThink(asked) ? GUESS_FACTOR_REASONING : 1,
    worstOutputTokens: longestAnswerTokens(asked) ?? p95Tokens,
  };
}
