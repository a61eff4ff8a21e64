import { readChoice } from './chat-choice.ts';
import { type Completion, isWireObject, makeFailure, makeUnreadable, nameForm, type WireObject } from './completion.ts';
import { readResponse } from './response-items.ts';

/** Reads the answers in the body of a chat completion, a response or an embedding, recognised by its content: one, or one per choice. */
export function readCompletion(body: WireObject): readonly [Completion, ...Completion[]] {
  const { choices, output, data } = body;
  if (!Array.isArray(choices)) {
    if (Array.isArray(output)) return [readResponse(body, output)];
    if (Array.isArray(data)) return [readEmbedding(data)];
    return [describeStranger(body)];
  }
  // Nearly all answers have one choice: no list is built for them.
  if (choices.length === 1) return [readOneOf(choices, 0)];
  if (choices.length === 0) return [makeFailure('invalid', NO_CHOICES)];
  return choices.map((_choice, index) => readOneOf(choices, index)) as [Completion, ...Completion[]];
}

/** All the text in a body, unchanged; null if there is none. */
export function readCompletionText(body: unknown): string | null {
  if (!isWireObject(body)) return null;
  const texts = readCompletion(body).flatMap(textsOf);
  return texts.length === 0 ? null : texts.join('\n');
}

/** Whether a body has the form of an endpoint's answer, whatever it is worth. */
export function holdsAnswer(body: WireObject): boolean {
  return [body.choices, body.output, body.data].some(Array.isArray);
}

const NO_CHOICES = 'the answer has no choices';

function readOneOf(choices: readonly unknown[], index: number): Completion {
  const choice = choices[index];
  return isWireObject(choice) ? readChoice(choice) : makeUnreadable(`a choice is ${nameForm(choice)}`);
}

/** A body without any form of answer. One that only says that there is nothing has a known form. */
function describeStranger(body: WireObject): Completion {
  const isSilent = Object.keys(body).length === 0 || ('choices' in body && body.choices === null);
  return isSilent ? makeFailure('invalid', NO_CHOICES) : makeUnreadable(`it has no choices, output or data: it is ${nameForm(body)}`);
}

function textsOf(completion: Completion): readonly string[] {
  if (completion.status === 'text') return [completion.parts.map(({ text }) => text).join('')];
  return completion.status === 'vector' || completion.text === null ? [] : [completion.text];
}

/** POST /v1/embeddings, one input per request. A vector sent twice counts once. */
function readEmbedding(data: readonly unknown[]): Completion {
  const vectors = data.map((item) => (isWireObject(item) ? item.embedding : undefined));
  const [vector] = vectors;
  if (vectors.length === 0 || !vectors.every((other) => isSameList(other, vector))) return makeFailure('invalid', NO_VECTOR);
  if (!Array.isArray(vector) || Array.isArray(vector[0]))
    return makeUnreadable(`its embedding is ${nameVector(vector)}, not a list of numbers`);
  if (vector.length === 0 || !vector.every(Number.isFinite)) return makeFailure('invalid', NO_VECTOR);
  return { status: 'vector', vector };
}

function isSameList(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  return Array.isArray(one) && Array.isArray(other) && one.length === other.length && one.every((item, index) => item === other[index]);
}

const NO_VECTOR = 'the answer is not one vector of numbers';

function nameVector(vector: unknown): string {
  if (vector === undefined) return 'missing';
  return Array.isArray(vector) ? 'a list of lists' : nameForm(vector);
}
