import type { Cause } from '../outcome.ts';

/** The content of one answer in a body, before any check. */
export type Completion =
  | SaidText
  | { readonly status: 'vector'; readonly vector: readonly number[] }
  | {
      readonly status: Extract<Cause, 'invalid' | 'refused' | 'filtered' | 'truncated' | 'server_error' | 'cancelled'>;
      readonly message: string;
      /** The text there was, in spite of the failure. */
      readonly text: string | null;
      /** Its form is unknown; the next answer would have the same one. */
      readonly isUnreadable: boolean;
    };

/** A finished text answer. */
export interface SaidText {
  readonly status: 'text';
  /** Usually one; several are one answer together, unless only one of them is valid. */
  readonly parts: readonly [TextPart, ...TextPart[]];
  /** Whether the provider said that it is finished; if it said nothing, the answer counts only if nothing else is wrong. */
  readonly isMarkedFinished: boolean;
}

export interface TextPart {
  readonly text: string;
  /** The probabilities of its tokens as on the wire, if requested. */
  readonly logprobs: unknown;
}

export type WireObject = Readonly<Record<string, unknown>>;

/** An answer that does not count. */
export function makeFailure(
  status: Exclude<Completion['status'], 'text' | 'vector'>,
  message: string,
  text: string | null = null,
): Completion {
  return { status, message, text, isUnreadable: false };
}

/** An answer of unknown form: `what` names it. */
export function makeUnreadable(what: string, text: string | null = null): Completion {
  return { status: 'invalid', message: `the answer cannot be read: ${what}`, text, isUnreadable: true };
}

export function isWireObject(value: unknown): value is WireObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a member of a body has content: null, false, 0, an empty string, and anything that holds only such values has none. */
export function saysSomething(value: unknown, level = 0): boolean {
  if (typeof value !== 'object' || value === null) return Boolean(value);
  // Empty values are not nested this deep, and the stack is limited.
  return level > MAX_SILENT_LEVELS || Object.values(value).some((inner) => saysSomething(inner, level + 1));
}

const MAX_SILENT_LEVELS = 20;

/** Names the form of a value for a person: its type, and for an object its first keys. Never its content. */
export function nameForm(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value !== 'object') return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
  const keys = Object.keys(value);
  if (keys.length === 0) return 'an object with nothing in it';
  return `an object with ${keys.slice(0, MOST_KEYS).map(quoteName).join(', ')}${keys.length > MOST_KEYS ? ', …' : ''}`;
}

/** A name used by a provider, quoted and shortened. */
export function quoteName(name: unknown): string {
  const text = typeof name === 'string' ? name : (JSON.stringify(name) ?? 'nothing');
  return JSON.stringify(text.length > MOST_NAME_CHARACTERS ? `${text.slice(0, MOST_NAME_CHARACTERS)}…` : text);
}

const MOST_KEYS = 5;
const MOST_NAME_CHARACTERS = 60;
