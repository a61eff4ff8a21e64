import {
  type Completion,
  isWireObject,
  makeFailure,
  makeUnreadable,
  nameForm,
  quoteName,
  saysSomething,
  type WireObject,
} from './completion.ts';
import { type MessageContent, readContent, readRefusal } from './message-content.ts';

/** Words that mean a complete answer: OpenAI's, and those of compatible servers. An allow-list: any other word means unfinished. */
const FINISHED: ReadonlySet<unknown> = new Set(['stop', 'end_turn', 'stop_sequence', 'eos', 'eos_token', 'complete']);
/** Words for the other ways to end, in lower case (openai-contract section 21, seen 2026-11-29). */
const TRUNCATED: ReadonlySet<string> = new Set(['length', 'max_tokens', 'model_length', 'model_context_window_exceeded']);
const FILTERED: ReadonlySet<string> = new Set(['content_filter', 'sensitive', 'safety']);
const FAILED: ReadonlySet<string> = new Set(['error', 'abort', 'network_error', 'insufficient_system_resource']);
const CALLED: ReadonlySet<string> = new Set(['tool_calls', 'function_call']);

export const EMPTY = 'the answer is empty';
export const WITHHELD = "the provider's content filter withheld the answer";

/** Reads one choice of a chat completion: failure, refusal, filter and truncation come before the content (openai-contract section 10, seen 2026-11-21). */
export function readChoice(choice: WireObject): Completion {
  const message = isWireObject(choice.message) ? choice.message : null;
  const content = readContent(message?.content);
  const { parts } = content;
  const text = parts.length === 0 ? null : parts.map((part) => part.text).join('');
  if (saysSomething(choice.error)) return makeFailure('server_error', `the provider failed: ${describeError(choice.error)}`, text);
  const refusal = readRefusal(message?.refusal) ?? content.refusal;
  if (refusal !== null) return makeFailure('refused', `the model refused: ${refusal}`, text ?? refusal);
  const reason = saysSomething(choice.finish_reason) ? choice.finish_reason : null;
  const unfinished = reason === null || FINISHED.has(reason) ? null : readUnfinished(reason, text);
  if (unfinished !== null) return unfinished;
  const unknown = findUnknown(choice, content);
  if (unknown !== null) return makeUnreadable(unknown, text);
  if (text === null) return makeFailure('invalid', saysSomething([message?.tool_calls, message?.function_call]) ? CALLED_A_TOOL : EMPTY);
  const logprobs = isWireObject(choice.logprobs) ? choice.logprobs.content : null;
  return { status: 'text', parts: [{ text, logprobs }], isMarkedFinished: reason !== null };
}

const CALLED_A_TOOL = 'the model called a tool instead of answering';

function readUnfinished(reason: unknown, text: string | null): Completion {
  const word = String(reason).toLowerCase();
  const said = `finish_reason ${String(reason)}`;
  if (TRUNCATED.has(word)) return makeFailure('truncated', `the answer was cut at the output limit (${said})`, text);
  if (FILTERED.has(word)) return makeFailure('filtered', WITHHELD, text);
  if (FAILED.has(word)) return makeFailure('server_error', `the provider failed while it answered (${said})`, text);
  if (CALLED.has(word)) return makeFailure('invalid', `${CALLED_A_TOOL} (${said})`, text);
  return makeUnreadable(`its finish_reason ${quoteName(reason)} does not mean that the answer is finished`, text);
}

function findUnknown(choice: WireObject, { unknown }: MessageContent): string | null {
  return isWireObject(choice.message) ? unknown : `a choice without a message, ${nameForm(choice)}`;
}

/** The provider's words for an error, kept short; its code if it has no words. */
function describeError(error: unknown): string {
  if (!isWireObject(error)) return String(error).slice(0, MOST_ERROR_CHARACTERS);
  const { code, message } = error;
  return [code, message].filter(saysSomething).map(String).join(': ').slice(0, MOST_ERROR_CHARACTERS) || nameForm(error);
}

const MOST_ERROR_CHARACTERS = 500;
