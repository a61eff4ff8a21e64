import type { InputSpec, TableFormat } from '../../core/job.ts';
import { openDocuments } from '../documents/documents-table.ts';
import { openRequestsTable } from '../requests/requests-table.ts';
import { openCsvTable } from './csv-table.ts';
import { openJsonTable } from './json-table.ts';
import type { OpenedFormat, TextFiles } from './table-format.ts';

/**
 * Opens the files of a table in one format.
 * @param spec the job's description of the table; its format is decided
 */
export type OpenFormat = (
  text: TextFiles,
  spec: InputSpec & { readonly format: TableFormat },
  signal: AbortSignal,
) => Promise<OpenedFormat>;

/** The reader of each format. */
export const READERS: Readonly<Record<TableFormat, OpenFormat>> = {
  csv: openCsvTable,
  tsv: openCsvTable,
  jsonl: openJsonTable,
  json: openJsonTable,
  requests: openRequestsTable,
  documents: openDocuments,
  parquet: async (text) => (await import('../parquet/parquet-table.ts')).openParquetTable(text),
  xlsx: async (text, spec) => (await import('../xlsx/xlsx-table.ts')).openXlsxTable(text, spec),
};
