/**
 * The exact text of the value of `body` in a line of a batch input file, of which the hash is computed. The line has been parsed
 * before, so it is well-formed. Undefined: there is no such key at the top level.
 */
export function findBodyText(line: string): string | undefined {
  let index = line.indexOf('{') + 1;
  while (index < line.length) {
    const keyStart = line.indexOf('"', index);
    if (keyStart < 0) return undefined;
    const keyEnd = endOfString(line, keyStart);
    const valueStart = skipSpace(line, line.indexOf(':', keyEnd) + 1);
    const valueEnd = endOfValue(line, valueStart);
    if (line.slice(keyStart, keyEnd) === '"body"') return line.slice(valueStart, valueEnd);
    index = valueEnd;
  }
  return undefined;
}

/** One past the closing quote. */
function endOfString(text: string, start: number): number {
  let quote = text.indexOf('"', start + 1);
  while (isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote + 1;
}

function isEscaped(text: string, quote: number): boolean {
  let slashes = 0;
  while (text[quote - 1 - slashes] === '\\') slashes += 1;
  return slashes % 2 === 1;
}

function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let index = start; index < text.length; index += 1) {
    const letter = text[index];
    if (letter === '"') {
      index = endOfString(text, index) - 1;
      if (depth === 0) return index + 1;
    } else if (letter === '{' || letter === '[') depth += 1;
    else if (letter === '}' || letter === ']') {
      if (depth === 0) return index;
      depth -= 1;
      if (depth === 0) return index + 1;
    } else if (depth === 0 && (letter === ',' || letter === ' ')) return index;
  }
  return text.length;
}

function skipSpace(text: string, start: number): number {
  let index = start;
  while (' \t\r\n'.includes(text[index] ?? 'x')) index += 1;
  return index;
}
