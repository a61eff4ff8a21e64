/** One request parameter a job may set: what it is called on the wire, and what values it takes. */
interface Param {
  readonly wire: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

/**
 * The parameters of a job in the order in which they stand in a body. The order is a contract: a body's bytes make its key.
 * Ranges: POST /v1/chat/completions in OpenAI's API description, seen 2026-11-21.
 */
export const PARAMS: Readonly<Record<string, Param>> = {
  max_output_tokens: {
    wire: 'max_completion_tokens',
    schema: {
      type: 'integer',
      minimum: 1,
      description: 'The most tokens one answer may have, reasoning included. Without it the model’s maximum is reserved in the budget.',
    },
  },
  temperature: {
    wire: 'temperature',
    schema: { type: 'number', minimum: 0, maximum: 2, description: 'Randomness, 0 to 2. Reasoning models take the default only.' },
  },
  top_p: { wire: 'top_p', schema: { type: 'number', minimum: 0, maximum: 1, description: 'Nucleus sampling, 0 to 1.' } },
  seed: {
    wire: 'seed',
    schema: {
      type: 'integer',
      minimum: Number.MIN_SAFE_INTEGER,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Asks for repeatable answers; not guaranteed by the API.',
    },
  },
  presence_penalty: { wire: 'presence_penalty', schema: { type: 'number', minimum: -2, maximum: 2, description: '-2 to 2.' } },
  frequency_penalty: { wire: 'frequency_penalty', schema: { type: 'number', minimum: -2, maximum: 2, description: '-2 to 2.' } },
  reasoning_effort: {
    wire: 'reasoning_effort',
    schema: {
      enum: ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'],
      description: 'How long a reasoning model thinks; which values exist depends on the model.',
    },
  },
  verbosity: { wire: 'verbosity', schema: { enum: ['low', 'medium', 'high'], description: 'How long the answers of newer models are.' } },
  service_tier: {
    wire: 'service_tier',
    schema: { enum: ['auto', 'default', 'flex', 'priority'], description: 'The tier of live calls; batches have a price of their own.' },
  },
  logprobs: { wire: 'logprobs', schema: { type: 'boolean', description: 'Ask for the log probabilities of the answer’s tokens.' } },
  top_logprobs: {
    wire: 'top_logprobs',
    schema: { type: 'integer', minimum: 0, maximum: 20, description: 'How many alternatives per token; needs logprobs.' },
  },
};

/** The parameters a job set, under their wire names, in body order. */
export function makeWireParams(params: Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] {
  return Object.entries(PARAMS).flatMap(([name, { wire }]) => (Object.hasOwn(params, name) ? [[wire, params[name]] as const] : []));
}

/** Models that think before they answer: the o-series, gpt-5 and later, fine-tunes of them included. Chat variants of gpt-5 do not. */
export function isReasoningModel(model: string): boolean {
  const name = model.startsWith('ft:') ? model.slice(3) : model;
  if (/^gpt-5(\.\d+)?-chat/.test(name)) return false;
  return /^o\d/.test(name) || /^gpt-([5-9]|\d\d)/.test(name);
}
