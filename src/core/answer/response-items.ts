import { isDeepStrictEqual } from 'node:util';
import { EMPTY, WITHHELD } from './chat-choice.ts';
import {
  type Completion,
  isWireObject,
  makeFailure,
  makeUnreadable,
  nameForm,
  quoteName,
  type TextPart,
  type WireObject,
} from './completion.ts';
import { type MessageContent, readContent } from './message-content.ts';

/** Items that are not answers; further names may be added to these. */
const ASIDE = /^(?:reasoning|compaction|mcp_.*|.*_output)$/;
const CALL = /_call$/;
const CANCELLED: ReadonlySet<unknown> = new Set(['cancelled', 'canceled']);

/**
 * Reads the answer of POST /v1/responses: the text of its messages, selected by the provider's names for them. Only `completed` is finished
 * (openai-contract section 21, seen 2026-11-29).
 */
export function readResponse(body: WireObject, output: readonly unknown[]): Completion {
  const items = output.filter(isWireObject);
  const spoken = chooseMessages(items);
  const contents = spoken.map(({ content }) => content);
  const parts = contents.flatMap((content) => content.parts);
  const text = parts.length === 0 ? null : parts.map((part) => part.text).join('');
  if (body.status === 'failed') return makeFailure('server_error', 'the response failed, without a reason', text);
  if (CANCELLED.has(body.status)) return makeFailure('cancelled', 'the response was cancelled at the provider', text);
  const refusal = contents.find((content) => content.refusal !== null)?.refusal ?? null;
  if (refusal !== null) return makeFailure('refused', `the model refused: ${refusal}`, text ?? refusal);
  if (body.status === 'incomplete') return readIncomplete(body.incomplete_details, text);
  if (body.status !== 'completed') return makeUnreadable(`its status is ${nameStatus(body.status)}, not completed`, text);
  const unknown = contents.find((content) => content.unknown !== null)?.unknown ?? null;
  if (unknown !== null) return makeUnreadable(unknown, text);
  if (hasContradiction(spoken)) return makeFailure('invalid', 'two items with the same id differ', text);
  const [first, ...others] = parts as readonly (TextPart | undefined)[];
  if (first === undefined) return describeSilence(items, output);
  return { status: 'text', parts: [first, ...(others as TextPart[])], isMarkedFinished: true };
}

function nameStatus(status: unknown): string {
  return status === undefined || status === null ? 'missing' : quoteName(status);
}

function readIncomplete(details: unknown, text: string | null): Completion {
  const reason = isWireObject(details) ? details.reason : undefined;
  if (reason === 'content_filter') return makeFailure('filtered', WITHHELD, text);
  if (reason === 'max_output_tokens')
    return makeFailure('truncated', 'the answer was cut at the output limit (incomplete: max_output_tokens)', text);
  if (typeof reason === 'string') return makeUnreadable(`it is incomplete for the reason ${quoteName(reason)}`, text);
  return makeFailure('invalid', 'the answer is incomplete, without a reason', text);
}

/**
 * The message items that may hold the answer: finished ones before unfinished ones, and if any is called the final answer, only those (seen in 2 %
 * of turns of gpt-5.6 on 2026-11-29, langchain4j#6399); a commentary is never the answer. An item sent twice counts once.
 */
function chooseMessages(items: readonly WireObject[]): readonly MessageItem[] {
  const messages = items.filter(({ type, role }) => type === 'message' && (role ?? 'assistant') === 'assistant');
  const finished = prefer(messages, ({ status }) => (status ?? 'completed') === 'completed');
  const final = finished.filter(({ phase }) => phase === 'final_answer');
  const chosen = final.length > 0 ? final : finished.filter(({ phase }) => phase !== 'commentary');
  const said = chosen.map(({ id, content }) => ({ id, content: readContent(content) }));
  return said.filter((item, index) => said.findIndex((other) => isDeepStrictEqual(other, item)) === index);
}

interface MessageItem {
  readonly id: unknown;
  readonly content: MessageContent;
}

/** Whether two items share an id: it is unknown which of them counts. */
function hasContradiction(spoken: readonly MessageItem[]): boolean {
  const ids = spoken.map(({ id }) => id).filter((id) => typeof id === 'string' && id !== '');
  return new Set(ids).size < ids.length;
}

function prefer<T>(values: readonly T[], isPreferred: (value: T) => boolean): readonly T[] {
  const preferred = values.filter(isPreferred);
  return preferred.length === 0 ? values : preferred;
}

/** Why a finished response has no text. */
function describeSilence(items: readonly WireObject[], output: readonly unknown[]): Completion {
  const call = items.find(({ type }) => CALL.test(String(type)));
  if (call !== undefined) return makeFailure('invalid', `the model called a tool instead of answering (${String(call.type)})`);
  if (items.some(({ phase }) => phase === 'commentary')) return makeFailure('invalid', 'the answer is a commentary without a final answer');
  const stranger = items.find(({ type }) => type !== 'message' && !ASIDE.test(String(type)));
  if (stranger !== undefined) return makeUnreadable(`its output holds an item of the type ${quoteName(stranger.type)}`);
  if (items.length < output.length)
    return makeUnreadable(`its output holds ${nameForm(output.find((item) => !isWireObject(item)))} where an item was expected`);
  return makeFailure('invalid', EMPTY);
}
