/** The position of the closing quote of the string that starts there. @param text valid JSON */
export function findStringEnd(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (text.charCodeAt(end - 1) === BACKSLASH && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

const BACKSLASH = 92;

function isEscaped(text: string, position: number): boolean {
  let backslashes = 1;
  while (text.charCodeAt(position - 1 - backslashes) === BACKSLASH) backslashes += 1;
  return backslashes % 2 === 1;
}
