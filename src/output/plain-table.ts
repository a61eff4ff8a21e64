import { openAtomicFile } from './atomic-file.ts';
import { formatCell } from './csv-format.ts';
import { createCsvPrinter } from './csv-text.ts';

/** A CSV table of plain values being written; there is nothing under its name before `finish`. */
export interface PlainTable {
  /** Await a promise before the next row: the disk has to catch up. */
  write(values: readonly unknown[]): void | Promise<void>;
  finish(): Promise<void>;
  abandon(): Promise<void>;
}

const CHUNK_CHARACTERS = 1 << 18;

/**
 * @param delimiter between cells; by default a comma
 * @throws DiskError if the file cannot be written; also from all its methods
 */
export async function createPlainTable(path: string, columns: readonly string[], delimiter?: string | null): Promise<PlainTable> {
  const file = await openAtomicFile(path);
  const { print, printHead } = createCsvPrinter({ delimiter: delimiter ?? undefined });
  let text = printHead(columns);
  return {
    write(values) {
      text += print([values.map(formatCell)]);
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
