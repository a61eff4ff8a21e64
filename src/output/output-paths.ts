import path from 'node:path';

/** Where the table stands until a run has finished: `reviews.csv` -> `reviews.partial.csv`. */
export function partialPath(tablePath: string): string {
  return insertBeforeExtension(tablePath, 'partial', path.extname(tablePath));
}

/** The table of failed and skipped rows, always CSV: `summaries.jsonl` -> `summaries.failures.csv`. */
export function failuresPath(tablePath: string): string {
  return insertBeforeExtension(tablePath, 'failures', '.csv');
}

function insertBeforeExtension(tablePath: string, word: string, extension: string): string {
  const { dir, name } = path.parse(tablePath);
  return path.join(dir, `${name}.${word}${extension}`);
}
