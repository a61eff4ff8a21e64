/** Whether a template can name a column. */
export function canBeNamed(name: string): boolean {
  return name !== '' && !/[\r\n]|[{%]\}|\}\}/.test(name) && !(name.includes('"') && name.includes("'")) && !name.includes('\\');
}

/** `{{ text }}`, or `{{ row["Odd Name"] }}` for a name that is no word of Liquid's. */
export function showPlaceholder(name: string): string {
  const isPlain = /^[A-Za-z_]\w*$/.test(name) && !RESERVED.has(name);
  const quote = name.includes('"') ? "'" : '"';
  return isPlain ? `{{ ${name} }}` : `{{ row[${quote}${name}${quote}] }}`;
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
