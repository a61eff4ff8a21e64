import type { FinishedRow } from '../core/finished-row.ts';
import { formatUsd } from '../core/summary.ts';
import { createCsvPrinter } from './csv-text.ts';
import { formatError, formatSource, type RowFormat, readAnswer } from './row-format.ts';
import type { TableColumns } from './table-columns.ts';

/** The options of a CSV table. */
export interface CsvFormatOptions {
  readonly columns: TableColumns;
  /** Properties of the answer; empty: the whole answer is one column. */
  readonly answerColumns: readonly string[];
  readonly simulated: boolean;
  /** The character between cells; absent: a comma. */
  readonly delimiter?: string | undefined;
  /** Spreadsheet-safe: byte order mark, CRLF, and an apostrophe before text a spreadsheet would run as a formula. */
  readonly excel: boolean;
}

/** Rows as CSV: text unchanged, everything else as compact JSON, null and missing values empty. Line breaks and quotes are quoted, so any text survives. */
export function createCsvFormat(options: CsvFormatOptions): RowFormat {
  const { columns, answerColumns, simulated, excel, delimiter = ',' } = options;
  const { quote, toCell, printHead, lineEnd } = createCsvPrinter({ delimiter, excel });
  // Our words and numbers need quotes only if they contain the delimiter.
  const printOwn: (value: string | number) => string = /[\w.]/.test(delimiter) ? (value) => quote(String(value)) : String;
  const putOwn = (value: string | number) => printOwn(value) + delimiter;
  const put = (value: unknown) => quote(toCell(value)) + delimiter;
  const end = (simulated ? delimiter + printOwn('true') : '') + lineEnd;
  let ended: EndCells | null = null;
  /** The cells about how a row ended: most rows end as the one before. */
  const putEnd = (finished: FinishedRow): string => {
    const { disposition, attempts, model } = finished;
    if (ended === null || ended.disposition !== disposition || ended.attempts !== attempts || ended.model !== model) {
      const [error, source] = [formatError(finished), formatSource(finished) ?? ''];
      ended = {
        disposition,
        attempts,
        model,
        text: putOwn(disposition.status) + put(error) + putOwn(source) + putOwn(attempts) + put(model),
      };
    }
    return ended.text;
  };
  // One string, cell by cell: an array of a row's cells costs more than printing them.
  const printRow = (finished: FinishedRow): string => {
    let line = '';
    for (const index of columns.keptIndexes) line += put(finished.row.cells[index]);
    for (const value of readAnswer(finished, answerColumns)) line += put(value);
    const { usage, costNanoUsd } = finished;
    line += putEnd(finished) + putOwn(usage.inputTokens) + putOwn(usage.cachedInputTokens) + putOwn(usage.outputTokens);
    line += putOwn(usage.reasoningTokens) + putOwn(costNanoUsd === null ? '' : formatUsd(costNanoUsd));
    return line + quote(toCell(finished.requestId)) + end;
  };
  const names = [...columns.keptNames, ...columns.answerNames, ...columns.sidecarNames].map(toCell);
  return {
    head: printHead(names),
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
