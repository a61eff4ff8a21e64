import { openAtomicFile } from './atomic-file.ts';
import { formatCell } from './csv-format.ts';
import { printCsv } from './csv-text.ts';

/** A CSV table of plain values being written; there is nothing under its name before `finish`. */
export interface PlainTable {
  /** Await a promise before the next row: the disk has to catch up. */
  write(values: readonly unknown[]): void | Promise<void>;
  finish(): Promise<void>;
  abandon(): Promise<void>;
}

const CHUNK_CHARACTERS = 1 << 18;

/** @throws DiskError if the file cannot be written; also from all its methods */
export async function createPlainTable(path: string, columns: readonly string[]): Promise<PlainTable> {
  const file = await openAtomicFile(path);
  let text = printCsv([columns], '\n');
  return {
    write(values) {
      text += printCsv([values.map(formatCell)], '\n');
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
