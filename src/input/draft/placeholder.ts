/** Whether a template can use a column. */
export function canBeNamed(name: string): boolean {
  return name.trim() !== '';
}

/** `{{ text }}`, or `{{ row["Odd Name"] }}` for a name that is not a Liquid identifier. */
export function showPlaceholder(name: string): string {
  const isPlain = /^[A-Za-z_]\w*$/.test(name) && !RESERVED.has(name);
  return isPlain ? `{{ ${name} }}` : `{{ row[${quoteName(name)}] }}`;
}

/** A name before its placeholder, for the model to read: braces in it would be a template. */
export function showName(name: string): string {
  return name.replaceAll(/[{}\p{Cc}\s]+/gu, ' ').trim();
}

/** As Liquid reads it: with a backslash before quotes, and control characters as escapes. */
function quoteName(name: string): string {
  const quote = name.includes('"') && !name.includes("'") ? "'" : '"';
  const escaped = name.replaceAll(/[\\\p{Cc}]/gu, (character) =>
    character === '\\' ? '\\\\' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${quote}${escaped.replaceAll(quote, `\\${quote}`)}${quote}`;
}

/** Words with another meaning in a template. */
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
