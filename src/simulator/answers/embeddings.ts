import { hashNumber } from '../hash.ts';
import type { ModelRules } from '../model-rules.ts';
import { WireError } from '../wire-error.ts';
import type { Answer, AnswerContext } from './answer-types.ts';
import type { WireBody } from './prompt.ts';
import { spoilUsage } from './service-tier.ts';
import { countTokens } from './tokens.ts';

/** The API's bounds on one embeddings request (reference, seen 2026-11). */
const MOST_INPUTS = 2_048;
const MOST_INPUT_TOKENS = 8_192;
const MOST_REQUEST_TOKENS = 300_000;

type Input = string | readonly number[];

/** Answers POST /v1/embeddings with unit vectors that depend only on the input; `float` by default, `base64` on request. */
export function answerEmbeddings(body: WireBody, rules: ModelRules, context: AnswerContext): Answer {
  const inputs = readInputs(body.input);
  const promptTokens = countInputs(inputs, rules);
  const dimensions = readDimensions(body.dimensions, rules);
  const isBase64 = body.encoding_format === 'base64';
  const data = inputs.map((input, index) => {
    const vector = makeVector(`${rules.snapshot}\n${input}`, dimensions);
    return { object: 'embedding', index, embedding: isBase64 ? Buffer.from(vector.buffer).toString('base64') : [...vector] };
  });
  const usage = { prompt_tokens: promptTokens, total_tokens: promptTokens };
  return {
    body: { object: 'list', data, model: rules.snapshot, usage: spoilUsage(usage, context.fault) },
    usage,
    model: rules.snapshot,
    serviceTier: 'default',
  };
}

function readInputs(input: unknown): readonly Input[] {
  const inputs = !Array.isArray(input) || input.every((token) => typeof token === 'number') ? [input] : input;
  const isUsable = inputs.every((one) => (typeof one === 'string' ? one !== '' : Array.isArray(one) && one.length > 0));
  if (!isUsable)
    throw new WireError(400, {
      message: "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.",
    });
  if (inputs.length <= MOST_INPUTS) return inputs;
  const message = `Invalid 'input': array too long. Expected an array with maximum length ${MOST_INPUTS}, but got an array with length ${inputs.length} instead.`;
  throw new WireError(400, { message, param: 'input', code: 'array_above_max_length' });
}

function countInputs(inputs: readonly Input[], rules: ModelRules): number {
  let sum = 0;
  for (const input of inputs) {
    const tokens = typeof input === 'string' ? countTokens(input) : input.length;
    sum += tokens;
    if (tokens <= MOST_INPUT_TOKENS && tokens <= rules.contextTokens) continue;
    const message = `This model's maximum context length is ${MOST_INPUT_TOKENS} tokens, however you requested ${tokens} tokens (${tokens} in your prompt; 0 for the completion). Please reduce your prompt; or completion length.`;
    throw new WireError(400, { message });
  }
  if (sum <= MOST_REQUEST_TOKENS) return sum;
  throw new WireError(400, {
    message: `Requested ${sum} tokens, max ${MOST_REQUEST_TOKENS} tokens per request`,
    type: 'max_tokens_per_request',
    code: 'max_tokens_per_request',
  });
}

function readDimensions(asked: unknown, rules: ModelRules): number {
  const most = rules.id.includes('large') ? 3_072 : 1_536;
  if (asked === undefined || asked === null) return most;
  if (typeof asked === 'number' && Number.isInteger(asked) && asked > 0 && asked <= most && !rules.id.includes('ada')) return asked;
  throw new WireError(400, {
    message: `Invalid value for 'dimensions' = ${asked}. Must be less than or equal to ${most}.`,
    param: 'dimensions',
  });
}

function makeVector(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions);
  let state = hashNumber(text) >>> 0;
  let squares = 0;
  for (let index = 0; index < dimensions; index += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const value = state / 2147483648 - 1;
    vector[index] = value;
    squares += value * value;
  }
  const length = Math.sqrt(squares);
  return vector.map((value) => value / length);
}
