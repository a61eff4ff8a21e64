import type { ModelRules } from '../model-rules.ts';
import { readEffort } from '../reasoning-rules.ts';
import { readAnswerFormat } from './answer-format.ts';
import type { Answer, AnswerContext } from './answer-types.ts';
import { type Completion, completePrompt } from './completion.ts';
import { checkImages } from './images.ts';
import { makeLogprobs } from './logprobs.ts';
import { isRecord, readPrompt, type WireBody } from './prompt.ts';
import { answerTier, spoilUsage } from './service-tier.ts';
import { slips } from './slipping-values.ts';
import { checkContext, countUsage, type TokenCounts } from './usage.ts';

/** Answers POST /v1/responses without `output_text`, which clients compute. Throws WireError for what the API refuses. */
export function answerResponse(body: WireBody, rules: ModelRules, context: AnswerContext): Answer {
  const { fault, drawSeed, idDigits } = context;
  const prompt = readPrompt(body);
  const format = readAnswerFormat(body, prompt);
  for (const { images } of prompt) checkImages(images);
  checkContext(prompt, rules, 'input');
  const capTokens = typeof body.max_output_tokens === 'number' ? body.max_output_tokens : undefined;
  const answering = { style: context.manner.style, slips: slips(context.manner, drawSeed, context.occasion) };
  const completion = completePrompt({ prompt, format, rules, capTokens, effort: readEffort(body), drawSeed, ...answering, fault });
  const usage = renderUsage(countUsage(prompt, [completion], rules, { drawSeed, useCache: () => context.useCache(body) }));
  const serviceTier = answerTier(body.service_tier, fault);
  const isFailed = fault?.kind === 'failed_response';
  const reason = completion.end === 'length' ? 'max_output_tokens' : completion.end === 'content_filter' ? 'content_filter' : undefined;
  return {
    body: {
      id: `resp_${idDigits}`,
      object: 'response',
      created_at: context.createdAtSeconds,
      status: isFailed ? 'failed' : reason === undefined ? 'completed' : 'incomplete',
      error: isFailed ? { code: 'server_error', message: 'The model failed to generate a response.' } : null,
      incomplete_details: reason === undefined ? null : { reason },
      model: rules.snapshot,
      output: isFailed || fault?.kind === 'no_choices' ? [] : renderOutput(completion, context, asksForLogprobs(body)),
      usage: spoilUsage(usage, fault),
      service_tier: serviceTier,
      store: body.store !== false,
      metadata: isRecord(body.metadata) ? body.metadata : {},
    },
    usage,
    model: rules.snapshot,
    serviceTier,
  };
}

/** Probabilities of tokens come only to those who include them. */
function asksForLogprobs({ include }: WireBody): boolean {
  return Array.isArray(include) && include.includes('message.output_text.logprobs');
}

function renderOutput(completion: Completion, { idDigits, fault, drawSeed }: AnswerContext, hasLogprobs: boolean): readonly unknown[] {
  const reasoning = { id: `rs_${idDigits}`, type: 'reasoning', summary: [] };
  const before = completion.reasoningTokens > 0 ? [reasoning] : [];
  if (completion.end === 'tool_calls') {
    return [
      ...before,
      {
        id: `fc_${idDigits}`,
        type: 'function_call',
        call_id: 'call_simulated',
        name: 'answer',
        arguments: completion.text,
        status: 'completed',
      },
    ];
  }
  if (completion.text === '' && completion.end === 'length') return before;
  const text = (part: string) => ({
    type: 'output_text',
    text: part,
    annotations: [],
    ...(hasLogprobs ? { logprobs: makeLogprobs(part, drawSeed) } : {}),
  });
  const content = completion.end === 'refusal' ? { type: 'refusal', refusal: completion.text } : text(completion.text);
  const message = {
    id: `msg_${idDigits}`,
    type: 'message',
    status: completion.end === 'stop' ? 'completed' : 'incomplete',
    role: 'assistant',
    content: [content],
  };
  if (fault?.kind !== 'several_outputs') return [...before, message];
  // Seen in the wild: a first message that is cut, then a whole one.
  const cut = { ...message, id: `msg_${idDigits}a`, content: [text(completion.text.slice(0, Math.ceil(completion.text.length / 2)))] };
  return [...before, cut, message];
}

function renderUsage(counts: TokenCounts) {
  const { promptTokens, cachedTokens, cacheWriteTokens, completionTokens, reasoningTokens } = counts;
  return {
    input_tokens: promptTokens,
    input_tokens_details: {
      cached_tokens: cachedTokens,
      ...(cacheWriteTokens === undefined ? {} : { cache_write_tokens: cacheWriteTokens }),
    },
    output_tokens: completionTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: promptTokens + completionTokens,
  };
}
