import type { ModelRules } from '../model-rules.ts';
import { readEffort } from '../reasoning-rules.ts';
import { readAnswerFormat } from './answer-format.ts';
import type { Answer, AnswerContext } from './answer-types.ts';
import { type Completion, completePrompt } from './completion.ts';
import { checkImages } from './images.ts';
import { makeLogprobs } from './logprobs.ts';
import { readPrompt, type WireBody } from './prompt.ts';
import { answerTier, spoilUsage } from './service-tier.ts';
import { slips } from './slipping-values.ts';
import { checkContext, countUsage, type TokenCounts } from './usage.ts';

/** Answers a chat completion (POST /v1/chat/completions). Throws WireError for what the API refuses. */
export function answerChat(body: WireBody, rules: ModelRules, context: AnswerContext): Answer {
  const { fault, drawSeed } = context;
  const prompt = readPrompt(body);
  const format = readAnswerFormat(body, prompt);
  for (const { images } of prompt) checkImages(images);
  checkContext(prompt, rules, 'messages');
  const cap = body.max_completion_tokens ?? body.max_tokens;
  const capTokens = typeof cap === 'number' ? cap : undefined;
  const completions = Array.from({ length: typeof body.n === 'number' ? body.n : 1 }, (_, index) =>
    completePrompt({
      prompt,
      format,
      rules,
      capTokens,
      effort: readEffort(body),
      drawSeed: index === 0 ? drawSeed : `${drawSeed}#${index}`,
      style: context.manner.style,
      slips: slips(context.manner, drawSeed, `${context.occasion}#${index}`),
      fault,
    }),
  );
  const usage = renderUsage(countUsage(prompt, completions, rules, { drawSeed, useCache: () => context.useCache(body) }));
  const serviceTier = answerTier(body.service_tier, fault);
  return {
    body: {
      id: `chatcmpl-${context.idDigits}`,
      object: 'chat.completion',
      created: context.createdAtSeconds,
      model: rules.snapshot,
      choices:
        fault?.kind === 'no_choices'
          ? []
          : completions.map((completion, index) => renderChoice(completion, index, body.logprobs === true ? drawSeed : null)),
      usage: spoilUsage(usage, fault),
      service_tier: serviceTier,
      system_fingerprint: 'fp_simulated',
    },
    usage,
    model: rules.snapshot,
    serviceTier,
  };
}

/** @param logprobsSeed null if no probabilities were requested */
function renderChoice(completion: Completion, index: number, logprobsSeed: string | null) {
  const { end, text } = completion;
  if (end === 'refusal')
    return { index, message: { role: 'assistant', content: null, refusal: text }, logprobs: null, finish_reason: 'stop' };
  if (end === 'tool_calls') {
    const call = { id: 'call_simulated', type: 'function', function: { name: 'answer', arguments: text } };
    return { index, message: { role: 'assistant', content: null, refusal: null, tool_calls: [call] }, logprobs: null, finish_reason: end };
  }
  const logprobs = logprobsSeed === null ? null : { content: makeLogprobs(text, `${logprobsSeed}#${index}`), refusal: null };
  return { index, message: { role: 'assistant', content: text, refusal: null, annotations: [] }, logprobs, finish_reason: end };
}

function renderUsage(counts: TokenCounts) {
  const { promptTokens, cachedTokens, cacheWriteTokens, completionTokens, reasoningTokens } = counts;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: {
      cached_tokens: cachedTokens,
      ...(cacheWriteTokens === undefined ? {} : { cache_write_tokens: cacheWriteTokens }),
    },
    completion_tokens_details: { reasoning_tokens: reasoningTokens },
  };
}
