import type { FileHandle } from 'node:fs/promises';
import { type FileMetaData, parquetMetadataAsync, parquetSchema, type SchemaTree } from 'hyparquet';
import { UsageError } from '../../core/errors.ts';
import type { TableFile } from '../table/read-bytes.ts';

/** What the footer of a Parquet file says about the rest. */
export interface ParquetFile {
  readonly file: TableFile;
  readonly metadata: FileMetaData;
  /** Columns of the table, each with its nested columns. */
  readonly columns: readonly SchemaTree[];
  /** Whether bytes without a declared type are text. */
  readonly isPlainText: boolean;
}

const MAGIC = 'PAR1';
const ENCRYPTED_MAGIC = 'PARE';
const GZIP_MAGIC = 0x1f8b;
const FOOTER_BYTES = 8;
const MAX_METADATA_BYTES = 256 * 1024 * 1024;

/** Reads the footer. @throws UsageError with a sentence if it is not Parquet, is damaged, or uses an unsupported feature */
export async function readParquetFile(file: TableFile, handle: FileHandle): Promise<ParquetFile> {
  const { size } = await handle.stat();
  const footer = Buffer.alloc(FOOTER_BYTES);
  await handle.read(footer, 0, 2, 0);
  if (footer.readUInt16BE(0) === GZIP_MAGIC)
    throw refuse(file, 'is compressed with gzip; Parquet is compressed inside: decompress it first');
  if (size > FOOTER_BYTES) await handle.read(footer, 0, FOOTER_BYTES, size - FOOTER_BYTES);
  const magic = footer.toString('latin1', 4);
  if (magic === ENCRYPTED_MAGIC) throw refuse(file, 'is encrypted Parquet, which cannot be read; write it without encryption');
  if (magic !== MAGIC) throw refuse(file, 'does not end like a Parquet file; was it copied or written completely?');
  if (footer.readUInt32LE(0) > MAX_METADATA_BYTES) throw refuse(file, 'has more than 256 MB of metadata, which is not supported');
  const { metadata, columns } = await describe(handle, size).catch((error: Error) => {
    throw refuse(file, `its metadata, at the end of the file, is damaged (${error.message})`);
  });
  refuseUnread(file, metadata);
  refuseTwins(file, columns, 'column');
  return { file, metadata, columns, isPlainText: /^impala\b/i.test(metadata.created_by ?? '') };
}

async function describe(handle: FileHandle, size: number): Promise<Pick<ParquetFile, 'metadata' | 'columns'>> {
  const metadata = await parquetMetadataAsync(
    { byteLength: size, slice: (start, end = size) => readSlice(handle, start, end) },
    { geoparquet: false, parsers: KEEP_RAW },
  );
  // The root is not a column, whatever its own entry says.
  delete metadata.schema[0]?.repetition_type;
  return { metadata, columns: parquetSchema(metadata).children };
}

/** The smallest and largest values of columns are not used. */
const KEEP_RAW = {
  timestampFromMilliseconds: () => null,
  timestampFromMicroseconds: () => null,
  timestampFromNanoseconds: () => null,
  dateFromDays: () => null,
  stringFromBytes: () => null,
  jsonFromBytes: () => null,
  geometryFromBytes: () => null,
  geographyFromBytes: () => null,
  uuidFromBytes: () => null,
};

async function readSlice(handle: FileHandle, start: number, end: number): Promise<ArrayBuffer> {
  const memory = new ArrayBuffer(end - start);
  await handle.read(new Uint8Array(memory), 0, end - start, start);
  return memory;
}

function refuseUnread(file: TableFile, { schema, row_groups: groups }: FileMetaData): void {
  const variant = schema.find(({ logical_type: logical }) => logical?.type === 'VARIANT');
  if (variant !== undefined) throw refuse(file, `column "${variant.name}" contains variants, which cannot be read; write it as JSON`);
  for (const { columns } of groups) {
    for (const { meta_data: meta, crypto_metadata: crypto, file_path: path } of columns) {
      const name = meta?.path_in_schema.join('.') ?? '';
      if (meta === undefined || crypto !== undefined) throw refuse(file, `column "${name}" is encrypted, which cannot be read`);
      if (path !== undefined) throw refuse(file, `column "${name}" is stored in another file, ${path}; write the table as one file`);
      if (meta.codec === 'LZO')
        throw refuse(file, `column "${name}" is compressed with LZO, which is not supported; write it with zstd or snappy`);
    }
  }
}

/** Two columns of the same name could not be told apart, nor two fields within a column. */
function refuseTwins(file: TableFile, nodes: readonly SchemaTree[], noun: 'column' | 'field'): void {
  const names = nodes.map(({ element }) => element.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw refuse(file, `two ${noun}s are called "${twice}"; every ${noun} needs a unique name`);
  for (const { children } of nodes) refuseTwins(file, children, 'field');
}

export function refuse(file: TableFile, message: string): UsageError {
  return new UsageError(`${file.shown}: ${message}`, { code: 'table' });
}
