import type { CompiledMessage } from './request-body.ts';

/** `{text}` and `${text}`, as other template languages have them; a third brace makes something else of it. */
const BRACED = /(?<![{$])\$?\{\s*([^{}\n]+?)\s*\}(?!\})/g;

/** Warns of columns written as in another language: what is sent, and paid for each row, are the braces. */
export function findBracedColumns(messages: readonly CompiledMessage[], columns: readonly string[]): readonly string[] {
  const texts = messages.map(({ template }) => template.literalText);
  const found = texts.flatMap((text) => [...text.matchAll(BRACED)]).filter(([, name]) => columns.includes(name ?? ''));
  const [first] = found;
  if (first === undefined) return [];
  const [written, name = ''] = first;
  const right = /^[A-Za-z_]\w*$/.test(name) ? `{{ ${name} }}` : `{{ row["${name}"] }}`;
  return [`prompt: ${written} is sent as it is; to insert the cell of a column, write ${right}`];
}
