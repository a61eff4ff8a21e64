import type { Outcome } from '../../core/outcome.ts';
import type { ResponseLine } from '../../core/response-line.ts';
import type { LaneName } from '../../core/settled.ts';

/** What a table shows of a key's answer. */
export interface TableAnswer {
  readonly outcome: Pick<
    Outcome,
    'status' | 'message' | 'isBilled' | 'usage' | 'model' | 'tier' | 'createdSeconds' | 'value' | 'written' | 'isUnmarked'
  >;
  /** The length of the answer as text, 0 if it is short; undefined if it was not text. */
  readonly answerCharacters: number | undefined;
  readonly requestId: string | null;
  /** Null without a line, like createdSeconds. */
  readonly lane: LaneName | null;
  readonly createdSeconds: number | null;
}

/** An answer contained in its record: its value, and the id of its request. */
export type ShortAnswer = readonly [value: unknown, requestId: string | null];

/** Longer ones would make opening the ledger slower than they make writing a table faster. */
const MOST_CHARACTERS = 300;
const NOT_ASCII = /[^\x20-\x7e]/g;

/**
 * An ok answer as JSON in ASCII, stored in its record, so that a table is written without reading and judging its line again.
 * @returns the empty string for an answer that is long, has a note, or would not survive a round trip through JSON
 */
export function makeShortAnswer({ status, message, isUnmarked, value, written, answerText }: Outcome, { response }: ResponseLine): string {
  if (status !== 'ok' || message !== '' || isUnmarked || answerText === null || answerText.length > MOST_CHARACTERS) return '';
  if (written !== undefined || !isPlain(value)) return '';
  const json = JSON.stringify([value, response?.request_id ?? null] satisfies ShortAnswer).replace(NOT_ASCII, escapeCharacter);
  return json.length > MOST_CHARACTERS ? '' : json;
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Whether a value survives a round trip through JSON: the result of a user's own check may be anything. */
function isPlain(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      if (value === null) return true;
      if (Array.isArray(value)) return value.every(isPlain);
      return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isPlain);
    default:
      return false;
  }
}
