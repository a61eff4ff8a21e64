import type { Row } from '../core/row.ts';

/** The rows from an index on. */
export async function* skipRows(chunks: AsyncIterable<readonly Row[]>, first: number): AsyncGenerator<readonly Row[]> {
  for await (const rows of chunks) {
    const rest = first === 0 ? rows : rows.filter(({ index }) => index >= first);
    if (rest.length > 0) yield rest;
  }
}
