import { openAtomicFile } from '../atomic-file.ts';
import type { TableWriter, TableWriterOptions } from '../table-writer-options.ts';
import { createParquetEncoder } from './encoder.ts';

/** Writes a Parquet table, one row group at a time. @throws DiskError if the file cannot be written; also from all its methods */
export async function createParquetTableWriter(options: TableWriterOptions): Promise<TableWriter> {
  const encoder = createParquetEncoder(options);
  const file = await openAtomicFile(options.path);
  return {
    write(row) {
      const bytes = encoder.add(row);
      if (bytes !== null) return file.write(bytes);
    },
    async finish() {
      await file.write(encoder.finish());
      return file.commit();
    },
    abandon: () => file.discard(),
  };
}
