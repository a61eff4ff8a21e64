/** So much of what somebody else says of a failure is kept; the raw answer stays whole in `responses/`. */
export const MAX_MESSAGE_CHARACTERS = 2_000;

const LONG = 4;

/** A text that is no longer than that, with an ellipsis where some of it was left out. Never ends in half of a character. */
export function clip(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  const part = text.slice(0, maxCharacters - 1);
  // A part of a text holds on to all of it; read anew it does not.
  const kept = text.length > LONG * maxCharacters ? (JSON.parse(JSON.stringify(part)) as string) : part;
  return `${/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept}…`;
}
