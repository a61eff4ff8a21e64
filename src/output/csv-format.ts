import { stringifyExactly } from '../core/exact/exact-number.ts';
import type { FinishedRow } from '../core/finished-row.ts';
import { formatUsd } from '../core/summary.ts';
import { printCsv, quoteCell } from './csv-text.ts';
import { formatError, formatSource, type RowFormat, readAnswer } from './row-format.ts';
import type { TableColumns } from './table-columns.ts';

/** The options of a CSV table. */
export interface CsvFormatOptions {
  readonly columns: TableColumns;
  /** Properties of the answer; empty: the whole answer is one column. */
  readonly answerColumns: readonly string[];
  readonly simulated: boolean;
  /** Spreadsheet-safe: byte order mark, CRLF, and an apostrophe before text a spreadsheet would run as a formula. */
  readonly excel: boolean;
}

/** Rows as CSV: text unchanged, everything else as compact JSON, null and missing values empty. Line breaks and quotes are quoted, so any text survives. */
export function createCsvFormat(options: CsvFormatOptions): RowFormat {
  const { columns, answerColumns, simulated, excel } = options;
  const lineEnd = excel ? '\r\n' : '\n';
  const toCell = excel ? (value: unknown) => escapeFormula(formatCell(value)) : formatCell;
  const print = (value: unknown) => quoteCell(toCell(value));
  const end = simulated ? `,true${lineEnd}` : lineEnd;
  let ended: EndCells | null = null;
  /** The cells about how a row ended, printed once for rows in a row that ended alike. */
  const printEnd = (finished: FinishedRow): string => {
    const { disposition, attempts, model } = finished;
    if (ended === null || ended.disposition !== disposition || ended.attempts !== attempts || ended.model !== model) {
      const text = `${disposition.status},${print(formatError(finished))},${formatSource(finished) ?? ''},${attempts},${print(model)},`;
      ended = { disposition, attempts, model, text };
    }
    return ended.text;
  };
  // One string, cell by cell: an array of a row's cells costs more than printing them.
  const printRow = (finished: FinishedRow): string => {
    let line = '';
    for (const index of columns.keptIndexes) line += `${print(finished.row.cells[index])},`;
    for (const value of readAnswer(finished, answerColumns)) line += `${print(value)},`;
    const { usage, costNanoUsd } = finished;
    line += `${printEnd(finished)}${usage.inputTokens},${usage.cachedInputTokens},${usage.outputTokens},${usage.reasoningTokens},`;
    return `${line}${costNanoUsd === null ? '' : formatUsd(costNanoUsd)},${print(finished.requestId)}${end}`;
  };
  const names = [...columns.keptNames, ...columns.answerNames, ...columns.sidecarNames].map(toCell);
  return {
    head: (excel ? BYTE_ORDER_MARK : '') + printCsv([names], lineEnd),
    format(rows) {
      let text = '';
      for (const row of rows) text += printRow(row);
      return text;
    },
  };
}

interface EndCells extends Pick<FinishedRow, 'disposition' | 'attempts' | 'model'> {
  readonly text: string;
}

/** A value as a CSV cell. */
export function formatCell(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Number.isFinite(value)) return String(value);
  return value === undefined || value === null ? '' : stringifyExactly(value);
}

export const BYTE_ORDER_MARK = '\uFEFF';
/** The characters after which a spreadsheet reads a formula, including their full-width forms (OWASP, CSV injection). */
const FORMULA_START = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;
/** Also with separators and a percent sign: a spreadsheet reads a number, which cannot run. */
const NUMBER = /^[+-]?(\d[\d.,]*|[.,]\d+)(e[+-]?\d+)?%?$/i;

/** Text that a spreadsheet would run gets an apostrophe; numbers, including negative ones, stay numbers. */
export function escapeFormula(text: string): string {
  return FORMULA_START.test(text) && !NUMBER.test(text) ? `'${text}` : text;
}
