/** One JSON object found in a text that is not valid JSON as a whole. */
export interface Unwrapped {
  /** The object's text. */
  readonly text: string;
  /** What was removed, for a person. */
  readonly note: string;
}

const OPENING_FENCE = /```[\w-]*\s*$/;
const CLOSING_FENCE = /^\s*```\s*$/;
/** If one of these is in the text to be removed, another value may have been meant, or there is a full sentence. */
const NO_LEAD_IN = /[[\]{}`"]|[.!?。！？](?:\s|$)|\n\s*\S/u;
const COLON_AT_END = /[:：][*_\s]*$/u;
/** What models say before doing what they were told. */
const EAGER = /^(?:sure|certainly|absolutely|of course|okay|ok|great|yes)(?: thing)?[!,.]\s+/i;
/** Words of a text that is not an answer, whatever it quotes. */
const RELUCTANT = /\b(?:not|cannot|unable|sorry|unfortunately|refuse|instead)\b|n['’]t\b/i;
/** A value before an object is not a word. */
const WORD = /^(?!(?:true|false|null)\b)\P{L}*\p{L}{2}/u;
const MOST_LEAD_IN_WORDS = 10;
const MOST_LEAD_IN_CHARACTERS = 100;

/**
 * Finds the one JSON object in an answer that a model put into a code fence, or after a lead-in: a few words that end with a colon. Null if
 * there is anything else around it: a refusal may quote the requested object (openai-contract section 21, seen 2026-11-29). The object
 * itself is not changed. The caller checks whether it is JSON.
 */
export function unwrapJson(text: string): Unwrapped | null {
  const start = text.indexOf('{');
  const end = text.lastIndexOf('}') + 1;
  if (start === -1 || end <= start) return null;
  const before = text.slice(0, start);
  const after = text.slice(end);
  const isFenced = OPENING_FENCE.test(before) && CLOSING_FENCE.test(after);
  if (!isFenced && after.trim() !== '') return null;
  const said = (isFenced ? before.replace(OPENING_FENCE, '') : before).trim();
  if (said !== '' && !isLeadIn(said)) return null;
  const what = isFenced ? (said === '' ? 'a code fence' : 'a code fence and text') : 'text';
  return { text: text.slice(start, end), note: `${what} around the JSON was removed` };
}

function isLeadIn(said: string): boolean {
  if (said.length > MOST_LEAD_IN_CHARACTERS || RELUCTANT.test(said)) return false;
  const words = said.replace(EAGER, '');
  return COLON_AT_END.test(words) && !NO_LEAD_IN.test(words) && WORD.test(words) && words.split(/\s+/).length <= MOST_LEAD_IN_WORDS;
}
