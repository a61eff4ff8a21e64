/** Whether a template can name a column. */
export function canBeNamed(name: string): boolean {
  return name.trim() !== '';
}

/** `{{ text }}`, or `{{ row["Odd Name"] }}` for a name that is no word of Liquid's. */
export function showPlaceholder(name: string): string {
  const isPlain = /^[A-Za-z_]\w*$/.test(name) && !RESERVED.has(name);
  return isPlain ? `{{ ${name} }}` : `{{ row[${quoteName(name)}] }}`;
}

/** A name as it stands before its placeholder, for the model to read: braces of its own would be a template. */
export function showName(name: string): string {
  return name.replaceAll(/[{}\p{Cc}\s]+/gu, ' ').trim();
}

/** As Liquid reads it: with a backslash before its own quotes, and control characters by number. */
function quoteName(name: string): string {
  const quote = name.includes('"') && !name.includes("'") ? "'" : '"';
  const escaped = name.replaceAll(/[\\\p{Cc}]/gu, (character) =>
    character === '\\' ? '\\\\' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${quote}${escaped.replaceAll(quote, `\\${quote}`)}${quote}`;
}

/** Words that mean something else in a template. */
const RESERVED: ReadonlySet<string> = new Set([
  'row',
  'labels',
  'true',
  'false',
  'nil',
  'null',
  'empty',
  'blank',
  'and',
  'or',
  'not',
  'contains',
]);
