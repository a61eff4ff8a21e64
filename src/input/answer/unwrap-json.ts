/** One JSON object found in a text that is not JSON as it stands. */
export interface Unwrapped {
  /** The object's text. */
  readonly text: string;
  /** What was removed, for a person. */
  readonly note: string;
}

const FENCE = '```';
const OPENING_FENCE = /```[\w-]*\s*$/;
const CLOSING_FENCE = /^\s*```/;
const JOINING = /[\s,:;]/;
/** Where one of these stands in what is to be removed, another value may have been meant. */
const BRACKETS = /[[\]{}]/;

/**
 * Finds the one JSON object in an answer that a model put into a code fence or surrounded with prose. Null when the text holds anything else
 * that might be an answer: brackets outside of the object, another fence, or a value before or behind it. The object itself is not changed.
 * Whether it is JSON is for the caller to see.
 */
export function unwrapJson(text: string): Unwrapped | null {
  const start = text.indexOf('{');
  const end = text.lastIndexOf('}') + 1;
  if (start === -1 || end <= start) return null;
  const before = text.slice(0, start);
  const after = text.slice(end);
  if (BRACKETS.test(before) || BRACKETS.test(after)) return null;
  const isFenced = OPENING_FENCE.test(before) && CLOSING_FENCE.test(after);
  const prose = isFenced ? [before.replace(OPENING_FENCE, ''), after.replace(CLOSING_FENCE, '')] : [before, after];
  if (prose.some((part) => part.includes(FENCE) || isValue(part))) return null;
  const isBare = prose.every((part) => part.trim() === '');
  const what = isFenced ? (isBare ? 'a code fence' : 'a code fence and text') : 'text';
  return { text: text.slice(start, end), note: `${what} around the JSON was removed` };
}

/** Whether a text, but for punctuation that joins values, is a JSON value by itself: then there were two. */
function isValue(text: string): boolean {
  // Not by a pattern: one that ends in `+$` takes the square of the time on long blank lines.
  let start = 0;
  let end = text.length;
  while (start < end && JOINING.test(text[start] as string)) start += 1;
  while (end > start && JOINING.test(text[end - 1] as string)) end -= 1;
  try {
    JSON.parse(text.slice(start, end));
    return true;
  } catch {
    return false;
  }
}
