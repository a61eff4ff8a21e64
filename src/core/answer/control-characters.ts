/** Control characters except tab, line feed and carriage return: C0, DEL and C1. */
const CONTROLS = /(?![\t\n\r])\p{Cc}/gu;
/** Returns the control characters of a row's prompt; null if they are not known. */
export type ReadPromptControls = () => string | null;

/** What in a JSON text may hold one: an escape, or a literal DEL or C1. Run on every body: a Unicode class takes four times as long. */
const MAYBE_IN_JSON = /\\[ubf]|[\u007f-\u009f]/;

/** The control characters in a text, each once, in order; usually none. */
export function findControls(text: string): string {
  const found = text.match(CONTROLS);
  return found === null ? '' : [...new Set(found)].toSorted().join('');
}

/** The same for all strings of a JSON text, keys included, after parsing. @param json well-formed */
export function findControlsOfJson(json: string): string {
  return MAYBE_IN_JSON.test(json) ? findControlsOfValue(JSON.parse(json)) : '';
}

/** The same for all strings of a value, keys included. */
export function findControlsOfValue(value: unknown): string {
  if (typeof value === 'string') return findControls(value);
  if (typeof value !== 'object' || value === null) return '';
  const inner = Array.isArray(value) ? value : Object.entries(value).flat();
  const found = inner.map(findControlsOfValue).join('');
  return found === '' ? '' : findControls(found);
}

/**
 * What is wrong with the control characters of an answer; null if nothing is. U+0000 is never intended: OpenAI's own models write it in place of
 * accented letters (openai-go#664, seen 2026-11-29). Others are quoted from the row, or are errors of the same kind.
 * @param readPromptControls looks up those of the row's own prompt; null if they are not known, and then only U+0000 makes an answer invalid.
 * Called only if the answer has any, which is rare
 */
export function findStrayControl(controls: string, readPromptControls?: ReadPromptControls): string | null {
  if (controls === '') return null;
  const promptControls = readPromptControls?.() ?? null;
  const stray = [...controls].find((control) => control === '\u0000' || promptControls?.includes(control) === false);
  if (stray === undefined) return null;
  const name = `U+${(stray.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}`;
  return `it holds the control character ${name}${stray === '\u0000' ? '' : ', which the prompt does not hold'}`;
}
