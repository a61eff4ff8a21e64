import type { Endpoint } from '../../core/job.ts';

/** A request parameter of a job: its place in the body of each endpoint that supports it, and its values. */
interface Param {
  /** Absent: the endpoint has no such parameter. */
  readonly chat?: string;
  /** A name, or a name within an object. */
  readonly responses?: string | readonly [string, string];
  readonly embeddings?: string;
  /** It controls how chat and responses requests are delivered, and is in no body. */
  readonly isDelivery?: true;
  readonly schema: Readonly<Record<string, unknown>>;
}

/**
 * The parameters of a job in the order in which they appear in a body. The order is a contract: a key is derived from the bytes of the body.
 * Names and ranges: the endpoints in OpenAI's API description, seen 2026-11-21.
 */
export const PARAMS: Readonly<Record<string, Param>> = {
  max_output_tokens: {
    chat: 'max_completion_tokens',
    responses: 'max_output_tokens',
    schema: {
      type: 'integer',
      minimum: 1,
      description: 'The most tokens one answer may have, reasoning included. Without it the model’s maximum is reserved in the budget.',
    },
  },
  temperature: {
    chat: 'temperature',
    responses: 'temperature',
    schema: { type: 'number', minimum: 0, maximum: 2, description: 'Randomness, 0 to 2. Reasoning models take the default only.' },
  },
  top_p: {
    chat: 'top_p',
    responses: 'top_p',
    schema: { type: 'number', minimum: 0, maximum: 1, description: 'Nucleus sampling, 0 to 1.' },
  },
  seed: {
    chat: 'seed',
    schema: {
      type: 'integer',
      minimum: Number.MIN_SAFE_INTEGER,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Asks for repeatable answers; not guaranteed by the API.',
    },
  },
  presence_penalty: {
    chat: 'presence_penalty',
    schema: { type: 'number', minimum: -2, maximum: 2, description: '-2 to 2; above 0 makes words that already occur less likely.' },
  },
  frequency_penalty: {
    chat: 'frequency_penalty',
    schema: { type: 'number', minimum: -2, maximum: 2, description: '-2 to 2; above 0 makes words that already occur less likely.' },
  },
  reasoning_effort: {
    chat: 'reasoning_effort',
    responses: ['reasoning', 'effort'],
    schema: {
      enum: ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'],
      description: 'How long a reasoning model thinks; which values exist depends on the model.',
    },
  },
  verbosity: {
    chat: 'verbosity',
    responses: ['text', 'verbosity'],
    schema: { enum: ['low', 'medium', 'high'], description: 'How long the answers of newer models are.' },
  },
  service_tier: {
    chat: 'service_tier',
    responses: 'service_tier',
    schema: {
      enum: ['auto', 'default', 'flex', 'priority', 'fast'],
      description: 'The tier of live calls; batches have a price of their own. fast is another name for priority.',
    },
  },
  prompt_cache: {
    isDelivery: true,
    schema: {
      enum: ['auto', 'explicit', 'provider'],
      description:
        'What is written to the prompt cache, from gpt-5.6 on. auto (default): whatever saves money; explicit: only the constant beginning of the prompt; provider: what the provider chooses.',
    },
  },
  logprobs: {
    chat: 'logprobs',
    responses: 'logprobs',
    schema: { type: 'boolean', description: 'Ask for the log probabilities of the answer’s tokens.' },
  },
  top_logprobs: {
    chat: 'top_logprobs',
    responses: 'top_logprobs',
    schema: { type: 'integer', minimum: 0, maximum: 20, description: 'How many alternatives per token; needs logprobs.' },
  },
  dimensions: {
    embeddings: 'dimensions',
    schema: { type: 'integer', minimum: 1, description: 'How many numbers an embedding has; only newer models take it.' },
  },
  stop: {
    chat: 'stop',
    schema: {
      type: ['string', 'array'],
      minLength: 1,
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      maxItems: 4,
      description: 'A text, or up to four, before which an answer ends. Reasoning models refuse it.',
    },
  },
};

type Form = 'chat' | 'responses' | 'embeddings';

/** Which of a parameter's names applies, by endpoint. */
const FORMS: Readonly<Record<Endpoint, Form>> = {
  '/v1/chat/completions': 'chat',
  '/v1/responses': 'responses',
  '/v1/embeddings': 'embeddings',
};

/** Whether the endpoint supports a parameter. */
export function takesParam(endpoint: Endpoint, name: string): boolean {
  if (PARAMS[name]?.isDelivery === true) return endpoint !== '/v1/embeddings';
  return PARAMS[name]?.[FORMS[endpoint]] !== undefined;
}

/** The members of a body for these parameters, each with the parameter's own name. */
export function listWireNames(endpoint: Endpoint, params: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const [name, param] of Object.entries(PARAMS)) {
    const wire = param[FORMS[endpoint]];
    if (wire !== undefined && params[name] !== undefined) names.set([wire].flat()[0] as string, name);
  }
  return names;
}

/**
 * Adds the parameters of a job to a body, in body order, under the endpoint's names.
 * @param body what the parameters are added to; a parameter within an object is added to an existing object
 */
export function addWireParams(body: Record<string, unknown>, endpoint: Endpoint, params: Readonly<Record<string, unknown>>): void {
  for (const [name, param] of Object.entries(PARAMS)) {
    const wire = param[FORMS[endpoint]];
    if (wire === undefined || !Object.hasOwn(params, name)) continue;
    if (typeof wire === 'string') body[wire] = params[name];
    else body[wire[0]] = { ...(body[wire[0]] as object | undefined), [wire[1]]: params[name] };
  }
}
