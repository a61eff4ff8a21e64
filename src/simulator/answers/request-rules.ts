import { findModelRules, type ModelRules } from '../model-rules.ts';
import { checkReasoning } from '../reasoning-rules.ts';
import { WireError } from '../wire-error.ts';
import type { WireBody } from './prompt.ts';

/** The endpoints that answer one request, live or as a line of a batch. */
export const ANSWERING_ENDPOINTS = ['/v1/chat/completions', '/v1/responses', '/v1/embeddings'] as const;

export type AnsweringEndpoint = (typeof ANSWERING_ENDPOINTS)[number];

const PARAMETERS: Readonly<Record<AnsweringEndpoint, ReadonlySet<string>>> = {
  '/v1/chat/completions': new Set(
    `messages model audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens metadata modalities n
    parallel_tool_calls prediction presence_penalty prompt_cache_key prompt_cache_options prompt_cache_retention reasoning_effort response_format safety_identifier seed
    service_tier stop store stream stream_options temperature tool_choice tools top_logprobs top_p user verbosity web_search_options`.split(
      /\s+/,
    ),
  ),
  '/v1/responses': new Set(
    `background conversation include input instructions max_output_tokens max_tool_calls metadata model parallel_tool_calls previous_response_id
    prompt prompt_cache_key prompt_cache_options prompt_cache_retention reasoning safety_identifier service_tier store stream stream_options temperature text tool_choice
    tools top_logprobs top_p truncation user`.split(/\s+/),
  ),
  '/v1/embeddings': new Set(['input', 'model', 'dimensions', 'encoding_format', 'user']),
};

/** Finds the model of a body and refuses what the API refuses before reading the prompt. Throws WireError 400 or 404. */
export function checkRequest(endpoint: AnsweringEndpoint, body: WireBody): ModelRules {
  const model = body.model;
  if (typeof model !== 'string' || model === '') throw new WireError(400, { message: 'you must provide a model parameter' });
  const rules = findModelRules(model);
  const kind = endpoint === '/v1/embeddings' ? 'embedding' : 'chat';
  if (rules === undefined || rules.kind !== kind) {
    const message = `The model \`${model}\` does not exist or you do not have access to it.`;
    throw new WireError(404, { message, code: 'model_not_found' });
  }
  const unknown = Object.keys(body).find((name) => !PARAMETERS[endpoint].has(name));
  if (unknown !== undefined)
    throw new WireError(400, { message: `Unknown parameter: '${unknown}'.`, param: unknown, code: 'unknown_parameter' });
  const content = endpoint === '/v1/chat/completions' ? 'messages' : 'input';
  checkPresence(content, body[content]);
  if (body.stream === true) throw new WireError(400, { message: 'Streaming is not simulated', param: 'stream', code: 'unsupported_value' });
  if (kind === 'chat') checkParameters(endpoint, body, rules);
  // Documented for gpt-5.6 and later only.
  if (body.prompt_cache_options !== undefined && !rules.reportsCacheWrites) {
    const message = "Unsupported parameter: 'prompt_cache_options' is not supported with this model.";
    throw new WireError(400, { message, param: 'prompt_cache_options', code: 'unsupported_parameter' });
  }
  return rules;
}

/** Refuses cache settings, like a server that does not know them. Throws WireError 400. */
export function refuseCacheOptions(body: WireBody): void {
  const param = 'prompt_cache_options';
  if (body[param] !== undefined) throw new WireError(400, { message: `Unknown parameter: '${param}'.`, param, code: 'unknown_parameter' });
}

function checkPresence(param: string, value: unknown): void {
  if (value === undefined || value === null)
    throw new WireError(400, { message: `Missing required parameter: '${param}'.`, param, code: 'missing_required_parameter' });
  if (!Array.isArray(value) || value.length > 0) return;
  const message = `Invalid '${param}': empty array. Expected an array with minimum length 1, but got an empty array instead.`;
  throw new WireError(400, { message, param, code: 'empty_array' });
}

function checkParameters(endpoint: AnsweringEndpoint, body: WireBody, rules: ModelRules): void {
  const isChat = endpoint === '/v1/chat/completions';
  if (rules.isReasoning && body.max_tokens !== undefined && body.max_tokens !== null) {
    const message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    throw new WireError(400, { message, param: 'max_tokens', code: 'unsupported_parameter' });
  }
  checkReasoning(body, { isChat, model: rules.id, reasoning: rules.reasoning });
  checkRange('temperature', body.temperature, { least: 0, most: 2, kind: 'decimal' });
  checkRange('top_p', body.top_p, { least: 0, most: 1, kind: 'decimal' });
  checkRange('n', body.n, { least: 1, most: 128, kind: 'integer' });
  const most = Number.MAX_SAFE_INTEGER;
  checkRange('max_tokens', body.max_tokens, { least: 1, most, kind: 'integer' });
  checkRange('max_completion_tokens', body.max_completion_tokens, { least: 1, most, kind: 'integer' });
  if (!isChat) checkRange('max_output_tokens', body.max_output_tokens, { least: 16, most, kind: 'integer' });
}

interface Range {
  readonly least: number;
  readonly most: number;
  readonly kind: 'integer' | 'decimal';
}

function checkRange(param: string, value: unknown, { least, most, kind }: Range): void {
  if (value === undefined || value === null) return;
  if (typeof value !== 'number' || (kind === 'integer' && !Number.isInteger(value))) {
    const got = typeof value === 'number' ? 'a decimal number' : `a ${typeof value}`;
    const message = `Invalid type for '${param}': expected ${kind === 'integer' ? 'an integer' : 'a decimal'}, but got ${got} instead.`;
    throw new WireError(400, { message, param, code: 'invalid_type' });
  }
  if (value < least) {
    const message = `Invalid '${param}': ${kind} below minimum value. Expected a value >= ${least}, but got ${value} instead.`;
    throw new WireError(400, { message, param, code: `${kind}_below_min_value` });
  }
  if (value <= most) return;
  const message = `Invalid '${param}': ${kind} above maximum value. Expected a value <= ${most}, but got ${value} instead.`;
  throw new WireError(400, { message, param, code: `${kind}_above_max_value` });
}
