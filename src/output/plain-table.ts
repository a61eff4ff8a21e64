import { openAtomicFile } from './atomic-file.ts';
import { createCsvPrinter } from './csv-text.ts';

/** A CSV table of plain values being written; there is nothing under its name before `finish`. */
export interface PlainTable {
  /** Await a promise before the next row: the disk has to catch up. */
  write(values: readonly unknown[]): void | Promise<void>;
  finish(): Promise<void>;
  abandon(): Promise<void>;
}

const CHUNK_CHARACTERS = 1 << 18;

/** How a plain table is written; absent: with commas, and cells as they are. */
export interface PlainTableForm {
  /** Between the cells. */
  readonly delimiter?: string | null | undefined;
  /** Spreadsheet-safe, like the table of a job with `write.excel`. */
  readonly excel?: boolean;
}

/**
 * @throws DiskError if the file cannot be written; also from all its methods
 */
export async function createPlainTable(path: string, columns: readonly string[], form: PlainTableForm = {}): Promise<PlainTable> {
  const file = await openAtomicFile(path);
  const { delimiter, excel = false } = form;
  const { toCell, print, printHead } = createCsvPrinter({ delimiter: delimiter ?? undefined, excel });
  let text = printHead(columns.map(toCell));
  return {
    write(values) {
      text += print([values.map(toCell)]);
      if (text.length < CHUNK_CHARACTERS) return;
      const chunk = text;
      text = '';
      return file.write(chunk);
    },
    async finish() {
      await file.write(text);
      await file.commit();
    },
    abandon: () => file.discard(),
  };
}
