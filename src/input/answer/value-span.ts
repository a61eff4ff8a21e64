/** The position of a value in a text, from its first character to after its last. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g;

/** Finds the value of a property of the outermost object in a text that holds one JSON object; null if there is none. */
export function findValueSpan(text: string, property: string): Span | null {
  let depth = 0;
  let key: string | null = null;
  let start = -1;
  TOKEN.lastIndex = Math.max(0, text.indexOf('{'));
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const [token] = match;
    const isAtTop = depth === 1;
    if (token === '{' || token === '[') depth += 1;
    if (token === '}' || token === ']') depth -= 1;
    if (isAtTop && token === ':') start = key === property ? TOKEN.lastIndex : -1;
    else if (start >= 0 && depth === 1 && token !== ',') return trimSpan(text, start, TOKEN.lastIndex);
    if (isAtTop && token.startsWith('"')) key = readString(token);
    if (depth === 0) return null;
  }
  return null;
}

function readString(token: string): string | null {
  try {
    return JSON.parse(token) as string;
  } catch {
    return null;
  }
}

function trimSpan(text: string, start: number, end: number): Span {
  const blanks = /^\s*/.exec(text.slice(start, end))?.[0].length ?? 0;
  return { start: start + blanks, end };
}
