import { open } from 'node:fs/promises';
import { parquetSchema, type RowGroup, type SchemaTree } from 'hyparquet';
import { getMaxDefinitionLevel, getTreePath } from 'hyparquet/src/schema.js';
import { UsageError } from '../../core/errors.ts';
import type { Row, StoredColumn } from '../../core/row.ts';
import type { TableFile } from '../table/read-bytes.ts';
import type { OpenedFormat, TextFiles } from '../table/table-format.ts';
import { createByteWindow } from './byte-window.ts';
import { createLeafReader, type LeafReader } from './leaf-reader.ts';
import { type ParquetFile, readParquetFile, refuse } from './parquet-file.ts';
import { chooseReadCell, isBinary } from './read-cell.ts';
import { readPages } from './read-pages.ts';
import { compileColumn, listLeaves, type ReadValue } from './record-reader.ts';

/** Rows per chunk. */
const CHUNK_ROWS = 512;
/** Bytes to read ahead for all columns together, and the minimum for one. */
const READ_AHEAD_BYTES = 16 * 1024 * 1024;
const MIN_STRETCH_BYTES = 16 * 1024;
const MAX_STRETCH_BYTES = 256 * 1024;

/**
 * Opens Parquet files, all with the same columns. A row group is read page by page, so its size does not matter. The line of a row is its number in
 * the file, from 1.
 */
export async function openParquetTable(text: Pick<TextFiles, 'files'>): Promise<OpenedFormat> {
  const opened: ParquetFile[] = [];
  for (const file of text.files) {
    await using handle = await open(file.path);
    opened.push(await readParquetFile(file, handle));
  }
  const [first] = opened;
  const columns = first?.columns.map(({ element }) => element.name) ?? [];
  for (const { file, columns: found } of opened) checkColumns(file, found, columns, first?.file.shown ?? '');
  const binary =
    first?.isPlainText === true
      ? []
      : (first?.columns ?? []).filter((column) => listLeaves(column).some(({ element }) => isBinary(element)));
  const warnings = binary.map(
    ({ element }) => `${first?.file.shown}: column "${element.name}" contains bytes without a declared type; they are written as base64`,
  );
  return {
    columns,
    warnings,
    readWarnings: () => [],
    readRows: (_, signal) => readFiles(text.files, columns, signal),
    readsAtRandom: true,
    ...describeStored(opened),
  };
}

/** How the columns are stored, if that is the same in all files. */
function describeStored([first, ...others]: readonly ParquetFile[]): Pick<OpenedFormat, 'stored'> {
  if (first === undefined) return {};
  const text = JSON.stringify([first.metadata.schema, first.isPlainText]);
  if (others.some(({ metadata, isPlainText }) => JSON.stringify([metadata.schema, isPlainText]) !== text)) return {};
  return { stored: first.isPlainText ? first.columns.map(markAsText) : first.columns };
}

function markAsText({ element, children }: SchemaTree): StoredColumn {
  const marked = element.type === 'BYTE_ARRAY' && isBinary(element) ? { ...element, converted_type: 'UTF8' } : element;
  return { element: marked, children: children.map(markAsText) };
}

function checkColumns(file: TableFile, found: readonly SchemaTree[], columns: readonly string[], firstFile: string): void {
  const names = found.map(({ element }) => element.name);
  if (names.length !== columns.length || names.some((name, index) => name !== columns[index]))
    throw refuse(file, `its columns differ from those of ${firstFile}: ${names.join(', ')}; expected ${columns.join(', ')}`);
}

async function* readFiles(files: readonly TableFile[], columns: readonly string[], signal: AbortSignal): AsyncGenerator<readonly Row[]> {
  let index = 0;
  for (const file of files) {
    await using handle = await open(file.path);
    // The file may have been replaced since it was first opened.
    const parquet = await readParquetFile(file, handle);
    checkColumns(file, parquet.columns, columns, 'the table as it was opened');
    let line = 1;
    for (const [number, group] of parquet.metadata.row_groups.entries()) {
      for await (const records of readRowGroup({ parquet, group, number, read: handle })) {
        signal.throwIfAborted();
        yield records.map((cells) => ({ index: index++, file: file.shown, line: line++, cells, record: null, key: null }));
      }
    }
  }
}

interface GroupOptions {
  readonly parquet: ParquetFile;
  readonly group: RowGroup;
  /** Counts from 0. */
  readonly number: number;
  readonly read: Parameters<typeof createByteWindow>[0];
}

async function* readRowGroup(options: GroupOptions): AsyncGenerator<readonly unknown[][]> {
  const { parquet, group, number } = options;
  let current: string | null = null;
  try {
    const inColumn = openColumns(options);
    let left = Number(group.num_rows);
    while (left > 0) {
      let ready = Math.min(left, CHUNK_ROWS);
      for (const column of inColumn) {
        current = column.name;
        for (const leaf of column.leaves) ready = Math.min(ready, await leaf.load());
        if (ready === 0) throw new Error('it ends before the row group does');
      }
      const rows = Array.from({ length: ready }, () => new Array<unknown>(inColumn.length));
      for (const [place, column] of inColumn.entries()) {
        current = column.name;
        for (const cells of rows) cells[place] = column.read();
      }
      left -= ready;
      yield rows;
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw refuse(
      parquet.file,
      `${current === null ? '' : `column "${current}", `}row group ${number + 1}: ${(error as Error).message}. Write the file again, or export it as CSV from the program that made it`,
    );
  }
}

/** A column of a row group, ready to be read. */
interface OpenColumn {
  readonly name: string;
  readonly read: ReadValue;
  readonly leaves: readonly LeafReader[];
}

function openColumns(options: GroupOptions): readonly OpenColumn[] {
  const leaves = openLeaves(options);
  const leafOf = ({ path }: SchemaTree) => leaves.get(path.join('\0')) as LeafReader;
  return options.parquet.columns.map((column) => ({
    name: column.element.name,
    read: compileColumn(column, leafOf),
    leaves: listLeaves(column).map(leafOf),
  }));
}

function openLeaves({ parquet, group, read }: GroupOptions): ReadonlyMap<string, LeafReader> {
  const { metadata, file, isPlainText } = parquet;
  const root = parquetSchema(metadata);
  const stretchBytes = Math.min(MAX_STRETCH_BYTES, Math.max(MIN_STRETCH_BYTES, Math.floor(READ_AHEAD_BYTES / group.columns.length)));
  const leaves = new Map<string, LeafReader>();
  for (const { meta_data: meta } of group.columns) {
    if (meta === undefined) throw refuse(file, 'a column has no metadata');
    const path = getTreePath(root, meta.path_in_schema);
    const { element } = path.at(-1) as SchemaTree;
    const dictionaryAt = Number(meta.dictionary_page_offset ?? 0);
    const dataAt = Number(meta.data_page_offset);
    const start = dictionaryAt > 0 && dictionaryAt < dataAt ? dictionaryAt : dataAt;
    leaves.set(
      meta.path_in_schema.join('\0'),
      createLeafReader({
        pages: readPages(createByteWindow(read, start, stretchBytes), meta, path),
        maxDefinition: getMaxDefinitionLevel(path),
        readCell: chooseReadCell(element, isPlainText) as (stored: unknown) => unknown,
      }),
    );
  }
  for (const column of parquet.columns) {
    const missing = listLeaves(column).find((leaf) => !leaves.has(leaf.path.join('\0')));
    if (missing !== undefined) throw refuse(file, `column "${missing.path.join('.')}" is missing in a row group`);
  }
  return leaves;
}
