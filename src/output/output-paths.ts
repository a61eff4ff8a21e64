import path from 'node:path';

/** The formats of an output table. */
export type TableFileFormat = 'csv' | 'jsonl' | 'parquet';

/** JSONL or Parquet by its name, else CSV. */
export function formatOfTable(tablePath: string): TableFileFormat {
  if (/\.parquet$/i.test(tablePath)) return 'parquet';
  return /\.(jsonl|ndjson)$/i.test(tablePath) ? 'jsonl' : 'csv';
}

/** Names that promise an unsupported format, and what to do. */
const NOT_WRITTEN: readonly (readonly [name: RegExp, todo: string])[] = [
  [/\.(xlsx?|xlsm|ods|numbers)$/i, 'workbooks are not written; name it .csv, which opens in one (write.excel: true)'],
  [/\.json$/i, 'JSON is written a record a line; name it .jsonl'],
  [/\.(gz|zip|bz2|xz|zst|7z)$/i, 'nothing is packed; name it .csv, .jsonl or .parquet, and pack it then'],
  [/\.(pdf|docx?|html?|xml|ya?ml|md|db|sqlite3?|arrow|feather|orc|avro)$/i, 'a table is written as .csv, .jsonl or .parquet'],
];

/** Why a table would not be what its name says; null if it would. */
export function findFalseName(tablePath: string): string | null {
  return NOT_WRITTEN.find(([name]) => name.test(tablePath))?.[1] ?? null;
}

/** What a table's name says of the character between its cells that is not so, as a sentence; null if nothing. */
export function findFalseDelimiter(tablePath: string, delimiter = ','): string | null {
  if (delimiter === '\t' || !/\.(tsv|tab)$/i.test(tablePath)) return null;
  return `the table is written with ${delimiter === ',' ? 'commas' : JSON.stringify(delimiter)} between cells, although its name promises tabs; set write.delimiter: tab, or name it .csv`;
}

/** Where a table for standard output is written first: in the state directory, in the format of the table it replaces. */
export function stdoutTablePath(stateDirectory: string, tablePath: string): string {
  return path.join(stateDirectory, 'stdout', `table.${formatOfTable(tablePath)}`);
}

/** The path of the table until a run has finished: `reviews.csv` -> `reviews.partial.csv`. */
export function partialPath(tablePath: string): string {
  return insertBeforeExtension(tablePath, 'partial', path.extname(tablePath));
}

/** The table of failed and skipped rows, next to the table that was written, always CSV: `summaries.jsonl` -> `summaries.failures.csv`. */
export function failuresPath(writtenPath: string): string {
  return insertBeforeExtension(writtenPath, 'failures', '.csv');
}

/** The report, next to the table that was written: `reviews.csv` -> `reviews.report.html`. */
export function reportPath(writtenPath: string): string {
  return insertBeforeExtension(writtenPath, 'report', '.html');
}

function insertBeforeExtension(tablePath: string, word: string, extension: string): string {
  const { dir, name } = path.parse(tablePath);
  return path.join(dir, `${name}.${word}${extension}`);
}
