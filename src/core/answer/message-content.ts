import { isWireObject, nameForm, quoteName, saysSomething, type TextPart } from './completion.ts';

/** The content of a message; its parts are selected by the provider's names for them. */
export interface MessageContent {
  readonly parts: readonly TextPart[];
  /** Why the model does not answer, in its words; null if it answers. */
  readonly refusal: string | null;
  /** Names the unknown part; null if all parts are known. */
  readonly unknown: string | null;
}

const TEXT_TYPES: ReadonlySet<unknown> = new Set(['text', 'output_text']);
/** The model's reasoning, or its sources: never the answer (seen 2026-11-29, vercel/ai#13703, spring-ai#5019). */
const ASIDE = /^(?:redacted_)?(?:thinking|thought|reasoning)(?:_text|_content)?$|^summary_text$|^(?:reference|citation)s?$/;

/** Reads the content of a chat message or of a message item: a string, or a list of parts. */
export function readContent(content: unknown): MessageContent {
  if (!saysSomething(content)) return { parts: [], refusal: null, unknown: null };
  if (typeof content === 'string') return { parts: [{ text: content, logprobs: null }], refusal: null, unknown: null };
  if (!Array.isArray(content)) return { parts: [], refusal: null, unknown: `its content is ${nameForm(content)}` };
  const parts: TextPart[] = [];
  let refusal: string | null = null;
  let unknown: string | null = null;
  for (const part of content) {
    if (!isWireObject(part)) unknown ??= `its content holds ${nameForm(part)} where a part was expected`;
    else if (TEXT_TYPES.has(part.type) && typeof part.text === 'string') {
      if (part.text !== '') parts.push({ text: part.text, logprobs: part.logprobs ?? null });
    } else if (part.type === 'refusal') refusal ??= readRefusal(part.refusal) ?? '(no words given)';
    else if (typeof part.type !== 'string' || !ASIDE.test(part.type)) unknown ??= namePart(part);
  }
  return { parts, refusal, unknown };
}

/** A refusal in words; null if there is none. */
export function readRefusal(refusal: unknown): string | null {
  if (!saysSomething(refusal)) return null;
  return typeof refusal === 'string' ? refusal : JSON.stringify(refusal);
}

function namePart(part: Readonly<Record<string, unknown>>): string {
  if (part.type === undefined) return `its content holds a part without a type, ${nameForm(part)}`;
  const isText = TEXT_TYPES.has(part.type);
  return isText
    ? `its content holds a text that is ${nameForm(part.text)}`
    : `its content holds a part of the type ${quoteName(part.type)}`;
}
