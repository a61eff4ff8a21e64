/** What is wrong with the quotes of a CSV text, and where; lines and columns from 1, columns in bytes. */
export interface QuoteFault {
  readonly type: 'not-closed' | 'text-after-quote' | 'quote-in-text';
  readonly line: number;
  readonly column: number;
  /** Where the quoted cell starts; the fault's own place when no cell is open. */
  readonly openLine: number;
}

const QUOTE = 34;
const LF = 10;
const CR = 13;

type State = 'cell-start' | 'plain' | 'quoted' | 'quote-seen';

/** Looks through a CSV text for the first quote out of place. Only used once the parser has failed: it says where, not whether. */
export async function findQuoteFault(chunks: AsyncIterable<Buffer>, delimiter: string): Promise<QuoteFault | null> {
  const separator = Buffer.from(delimiter);
  let state: State = 'cell-start';
  let line = 1;
  let column = 0;
  let previous = 0;
  let open = { line: 1, column: 1 };
  for await (const chunk of chunks) {
    for (const byte of chunk) {
      const isBreak = byte === LF || byte === CR;
      column++;
      const fault = (type: QuoteFault['type']): QuoteFault => ({
        type,
        line,
        column,
        openLine: type === 'quote-in-text' ? line : open.line,
      });
      if (state === 'quoted') state = byte === QUOTE ? 'quote-seen' : 'quoted';
      else if (byte === QUOTE && state === 'quote-seen') state = 'quoted';
      else if (isBreak || byte === separator[0]) state = 'cell-start';
      else if (state === 'quote-seen') return fault('text-after-quote');
      else if (byte !== QUOTE) state = 'plain';
      else if (state === 'plain') return fault('quote-in-text');
      else {
        state = 'quoted';
        open = { line, column };
      }
      if (byte === CR || (byte === LF && previous !== CR)) line++;
      if (isBreak) column = 0;
      previous = byte;
    }
  }
  return state === 'quoted' ? { type: 'not-closed', ...open, openLine: open.line } : null;
}

/** The fault in words. */
export function describeQuoteFault(fault: QuoteFault): string {
  switch (fault.type) {
    case 'not-closed':
      return 'the quoted cell that starts here is never closed';
    case 'text-after-quote':
      return `text after a closing quote, in the cell that starts on line ${fault.openLine}; a quote inside a quoted cell is written twice`;
    case 'quote-in-text':
      return 'a quote inside a cell that is not quoted; quote the whole cell and write the quote twice';
    default:
      return fault.type satisfies never;
  }
}
