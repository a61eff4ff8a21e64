/** The part that is kept of an error text from outside; the raw answer stays whole in `responses/`. */
export const MAX_MESSAGE_CHARACTERS = 2_000;

const LONG = 4;

/** A text cut to that length, with an ellipsis if anything was cut. Never ends in half a character. */
export function clip(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  const part = text.slice(0, maxCharacters - 1);
  // A substring keeps the whole string in memory; a copy does not.
  const kept = text.length > LONG * maxCharacters ? (JSON.parse(JSON.stringify(part)) as string) : part;
  return `${/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept}…`;
}
