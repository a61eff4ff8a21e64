import type { Cause } from '../outcome.ts';

/** What one answer in a body says, before any check of its content. */
export type Completion =
  | SaidText
  | { readonly status: 'vector'; readonly vector: readonly number[] }
  | {
      readonly status: Extract<Cause, 'invalid' | 'refused' | 'filtered' | 'truncated' | 'server_error' | 'cancelled'>;
      readonly message: string;
      /** What there was of it all the same. */
      readonly text: string | null;
      /** Nobody here knows its form; the next answer would have the same one. */
      readonly isUnreadable: boolean;
    };

/** A finished answer in words. */
export interface SaidText {
  readonly status: 'text';
  /** Mostly one; several are one answer together, unless only one of them is. */
  readonly parts: readonly [TextPart, ...TextPart[]];
  /** Whether the provider said that it is finished; where it said nothing, only what is not wrong otherwise counts. */
  readonly isMarkedFinished: boolean;
}

export interface TextPart {
  readonly text: string;
  /** The probabilities of its tokens as on the wire, where they were asked for. */
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

/** An answer in a form nobody here knows: `what` names it. */
export function makeUnreadable(what: string, text: string | null = null): Completion {
  return { status: 'invalid', message: `the answer cannot be read: ${what}`, text, isUnreadable: true };
}

export function isWireObject(value: unknown): value is WireObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a member of a body says anything: null, false, 0, an empty text and what holds nothing but such say nothing. */
export function saysSomething(value: unknown, level = 0): boolean {
  if (typeof value !== 'object' || value === null) return Boolean(value);
  // Nobody nests nothing so deep, and the stack has an end.
  return level > MAX_SILENT_LEVELS || Object.values(value).some((inner) => saysSomething(inner, level + 1));
}

const MAX_SILENT_LEVELS = 20;

/** Names the form of a value for a person: its type, and of an object its first keys. Never what stands in it. */
export function nameForm(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value !== 'object') return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
  const keys = Object.keys(value);
  if (keys.length === 0) return 'an object with nothing in it';
  return `an object with ${keys.slice(0, MOST_KEYS).map(quoteName).join(', ')}${keys.length > MOST_KEYS ? ', …' : ''}`;
}

/** A name a provider uses, quoted and kept short. */
export function quoteName(name: unknown): string {
  const text = typeof name === 'string' ? name : (JSON.stringify(name) ?? 'nothing');
  return JSON.stringify(text.length > MOST_NAME_CHARACTERS ? `${text.slice(0, MOST_NAME_CHARACTERS)}…` : text);
}

const MOST_KEYS = 5;
const MOST_NAME_CHARACTERS = 60;
