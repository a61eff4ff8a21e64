import type { CompiledMessage } from './request-body.ts';

/** `{text}` and `${text}`, as in other template languages; a third brace changes the meaning. */
const BRACED = /(?<![{$])\$?\{\s*([^{}\n]+?)\s*\}(?!\})/g;

/** Warns about columns written as in another language: the braces would be sent, and paid for in each row. */
export function findBracedColumns(messages: readonly CompiledMessage[], columns: readonly string[]): readonly string[] {
  const texts = messages.map(({ template }) => template.literalText);
  const found = texts.flatMap((text) => [...text.matchAll(BRACED)]).filter(([, name]) => columns.includes(name ?? ''));
  const [first] = found;
  if (first === undefined) return [];
  const [written, name = ''] = first;
  const right = /^[A-Za-z_]\w*$/.test(name) ? `{{ ${name} }}` : `{{ row["${name}"] }}`;
  return [`prompt: ${written} is sent as it is; to insert the cell of a column, write ${right}`];
}
