import type { Cause } from './outcome.ts';

/** What one answer in a body says, before any check of its content. */
export type Completion =
  /** `texts` are its parts, mostly one; `logprobs` the probabilities of its tokens as on the wire, where they were asked for. */
  | { readonly status: 'text'; readonly texts: readonly string[]; readonly logprobs: unknown }
  | { readonly status: 'vector'; readonly vector: readonly number[] }
  /** `text` is what there was of it all the same. */
  | {
      readonly status: Extract<Cause, 'invalid' | 'refused' | 'filtered' | 'truncated'>;
      readonly message: string;
      readonly text: string | null;
    };

type Body = Readonly<Record<string, unknown>>;

/**
 * Reads the answers in the body of a chat completion, a response or an embedding, told apart by what they hold: one, or one per choice.
 * Refusal, filter and cut come before the content (openai-contract section 10, seen 2026-11-21).
 */
export function readCompletion(body: Body): readonly [Completion, ...Completion[]] {
  if (!Array.isArray(body.choices)) {
    if (Array.isArray(body.output)) return [readResponse(body, body.output)];
    if (Array.isArray(body.data)) return [readEmbedding(body.data)];
  }
  const choices = Array.isArray(body.choices) ? body.choices : [];
  // Nearly all answers have one choice: a list of the others is not made for them.
  if (choices.length === 1 && isObject(choices[0])) return [readChoice(choices[0])];
  const [first, ...others] = choices.filter(isObject);
  if (first === undefined) return [wrong('invalid', 'the answer holds no choices')];
  return [readChoice(first), ...others.map(readChoice)];
}

/** All that was said in a body, as it was said; null when there was no text. */
export function readCompletionText(body: unknown): string | null {
  if (!isObject(body)) return null;
  const texts = readCompletion(body).flatMap(textsOf);
  return texts.length === 0 ? null : texts.join('\n');
}

function textsOf(completion: Completion): readonly string[] {
  if (completion.status === 'text') return [completion.texts.join('')];
  return completion.status === 'vector' || completion.text === null ? [] : [completion.text];
}

function readChoice(choice: Body): Completion {
  const { message, finish_reason: reason } = choice;
  if (!isObject(message)) return wrong('invalid', 'the answer holds no choices');
  const text = typeof message.content === 'string' && message.content !== '' ? message.content : null;
  if (typeof message.refusal === 'string' && message.refusal !== '')
    return wrong('refused', `the model refused: ${message.refusal}`, text ?? message.refusal);
  switch (reason) {
    case 'content_filter':
      return wrong('filtered', FILTERED, text);
    case 'length':
      return wrong('truncated', 'the answer was cut at the output limit (finish_reason length)', text);
    case 'tool_calls':
    case 'function_call':
      return wrong('invalid', `the model called a tool instead of answering (finish_reason ${reason})`, text);
  }
  if (text === null) return wrong('invalid', EMPTY);
  return { status: 'text', texts: [text], logprobs: isObject(choice.logprobs) ? choice.logprobs.content : null };
}

/** POST /v1/responses: the answer is the text parts of all items of type message. */
function readResponse(body: Body, output: readonly unknown[]): Completion {
  const items = output.filter(isObject);
  const parts = items.flatMap(({ type, content }) => (type === 'message' && Array.isArray(content) ? content.filter(isObject) : []));
  const written = parts.filter(({ type, text }) => type === 'output_text' && typeof text === 'string' && text !== '');
  const texts = written.map(({ text }) => text as string);
  const text = texts.length === 0 ? null : texts.join('');
  const refusal = parts.find(({ type }) => type === 'refusal')?.refusal;
  if (refusal !== undefined) return wrong('refused', `the model refused: ${String(refusal)}`, text ?? String(refusal));
  if (body.status === 'incomplete') {
    const reason = isObject(body.incomplete_details) ? body.incomplete_details.reason : undefined;
    if (reason === 'content_filter') return wrong('filtered', FILTERED, text);
    if (reason === 'max_output_tokens')
      return wrong('truncated', 'the answer was cut at the output limit (incomplete: max_output_tokens)', text);
    return wrong('invalid', `the answer is incomplete (${String(reason ?? 'no reason given')})`, text);
  }
  if (text !== null)
    return { status: 'text', texts, logprobs: written.flatMap(({ logprobs }) => (Array.isArray(logprobs) ? logprobs : [])) };
  const call = items.find(({ type }) => String(type).endsWith('_call'));
  return wrong('invalid', call === undefined ? EMPTY : `the model called a tool instead of answering (${String(call.type)})`);
}

/** POST /v1/embeddings, one input a request. */
function readEmbedding(data: readonly unknown[]): Completion {
  const vector = isObject(data[0]) ? data[0].embedding : undefined;
  if (data.length !== 1 || !Array.isArray(vector)) return wrong('invalid', 'the answer is not one vector of numbers');
  if (vector.length === 0 || !vector.every(Number.isFinite)) return wrong('invalid', 'the answer is not one vector of numbers');
  return { status: 'vector', vector };
}

const EMPTY = 'the answer is empty';
const FILTERED = "the provider's content filter withheld the answer";

function wrong(status: Exclude<Completion['status'], 'text' | 'vector'>, message: string, text: string | null = null): Completion {
  return { status, message, text };
}

function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
