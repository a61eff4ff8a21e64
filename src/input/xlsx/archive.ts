import { type Entry, openPromise } from 'yauzl';
import { UsageError } from '../../core/errors.ts';
import type { TableFile } from '../table/read-bytes.ts';

/** The parts of a workbook, each an XML text. */
export interface Archive {
  readonly file: TableFile;
  /** Streams a part's bytes; null if there is no part of this name. */
  open(name: string): Promise<AsyncIterable<Buffer> | null>;
  /** Bytes of a part, decompressed; 0 if there is none. */
  sizeOf(name: string): number;
  close(): void;
}

/** A workbook has as many parts as sheets, and some more. */
const MAX_PARTS = 20_000;

/** @throws UsageError if the file is not a complete ZIP archive */
export async function openArchive(file: TableFile): Promise<Archive> {
  const zip = await openPromise(file.path, { lazyEntries: true, autoClose: false }).catch((error: Error) => {
    throw refuse(file, `is not a complete workbook (${error.message}); was it copied or written completely?`);
  });
  const entries = new Map<string, Entry>();
  try {
    for await (const entry of zip.eachEntry()) {
      if (entries.size >= MAX_PARTS) throw new Error(`more than ${MAX_PARTS} parts`);
      entries.set(entry.fileName.toLowerCase(), entry);
    }
  } catch (error) {
    zip.close();
    throw refuse(file, `is not a complete workbook (${(error as Error).message}); was it copied or written completely?`);
  }
  const find = (name: string) => entries.get(name.toLowerCase());
  return {
    file,
    async open(name) {
      const entry = find(name);
      return entry === undefined ? null : zip.openReadStreamPromise(entry);
    },
    sizeOf: (name) => find(name)?.uncompressedSize ?? 0,
    close: () => zip.close(),
  };
}

export function refuse(file: TableFile, message: string): UsageError {
  return new UsageError(`${file.shown}: ${message}`, { code: 'table' });
}
