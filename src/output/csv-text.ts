import { stringifyExactly } from '../core/exact/exact-number.ts';

/** How CSV is written. */
export interface CsvForm {
  /** The character between cells; absent: a comma. */
  readonly delimiter?: string | undefined;
  /** Spreadsheet-safe: byte order mark, CRLF, and an apostrophe before text a spreadsheet would run as a formula. */
  readonly excel?: boolean;
}

/** Writes records as CSV (RFC 4180), each with its line end; the same output as csv-stringify, in a fifth of the time. */
export interface CsvPrinter {
  readonly lineEnd: '\n' | '\r\n';
  /** The text of a value, for a spreadsheet a safe one. */
  toCell(value: unknown): string;
  /** A cell's text, quoted if it contains the delimiter, a quote or a line break. */
  quote(cell: string): string;
  /** A record of one empty cell is a blank line. */
  print(records: readonly (readonly string[])[]): string;
  /** The names of the columns, as they are, at the start of a file. Unless the delimiter is a comma, names with another usual delimiter are quoted too, so that readers recognise the one in use. */
  printHead(names: readonly string[]): string;
}

const BYTE_ORDER_MARK = '\uFEFF';

export function createCsvPrinter({ delimiter = ',', excel = false }: CsvForm = {}): CsvPrinter {
  const lineEnd = excel ? '\r\n' : '\n';
  const needsQuotes = delimiter === ',' ? /[",\r\n]/ : matchAny(`"\r\n${delimiter}`);
  const needsQuotesInHead = delimiter === ',' ? needsQuotes : matchAny(`"\r\n,;\t${delimiter}`);
  const quoteIf = (pattern: RegExp) => (cell: string) => (pattern.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  const quote = quoteIf(needsQuotes);
  const quoteInHead = quoteIf(needsQuotesInHead);
  return {
    lineEnd,
    toCell: excel ? (value) => escapeFormula(formatCell(value)) : formatCell,
    quote,
    print(records) {
      let text = '';
      for (const cells of records) text += cells.map(quote).join(delimiter) + lineEnd;
      return text;
    },
    printHead: (names) => (excel ? BYTE_ORDER_MARK : '') + names.map(quoteInHead).join(delimiter) + lineEnd,
  };
}

/** Matches any of the characters. */
function matchAny(characters: string): RegExp {
  const codes = Array.from(characters, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
  return new RegExp(`[${codes.join('')}]`, 'u');
}

/** A value as a CSV cell. */
export function formatCell(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Number.isFinite(value)) return String(value);
  return value === undefined || value === null ? '' : stringifyExactly(value);
}

/** The characters after which a spreadsheet reads a formula, including their full-width forms (OWASP, CSV injection). */
const FORMULA_START = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;
/** Also with separators and a percent sign: a spreadsheet reads a number, which cannot run. */
const NUMBER = /^[+-]?(\d[\d.,]*|[.,]\d+)(e[+-]?\d+)?%?$/i;

/** Text that a spreadsheet would run gets an apostrophe; numbers, including negative ones, stay numbers. */
export function escapeFormula(text: string): string {
  return FORMULA_START.test(text) && !NUMBER.test(text) ? `'${text}` : text;
}
