import { crc32 } from 'node:zlib';
import type { ColumnMetaData, DecodedArray, PageHeader, SchemaTree } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { decompressPage, readDataPage, readDataPageV2 } from 'hyparquet/src/datapage.js';
import { readPlain } from 'hyparquet/src/plain.js';
import type { ByteWindow } from './byte-window.ts';
import { COMPRESSORS } from './codecs.ts';

/** Values of a column with their levels, as they stand in one page. */
export interface Page {
  /** Values, missing ones included. */
  readonly length: number;
  /** Empty: all are there, as deep as can be. */
  readonly definitionLevels: readonly number[];
  /** Empty: each begins a row. */
  readonly repetitionLevels: readonly number[];
  /** Those that are there, as they are stored. */
  readonly values: DecodedArray;
  /** What the values are places in; null where they are the values themselves. */
  readonly dictionary: DecodedArray | null;
  /** Whether the page ends where a row does, which older pages do not promise. */
  readonly endsRow: boolean;
}

type ColumnDecoder = Parameters<typeof readDataPage>[2];

/** Larger pages are refused: one is held at a time. Writers cut at about 1 MB. */
const MAX_PAGE_BYTES = 512 * 1024 * 1024;
const HEADER_BYTES = 512;
const MAX_HEADER_BYTES = 64 * 1024 * 1024;

/** The pages of one column of a row group, read one after the other: no index of pages is needed. @throws Error in words where they are damaged */
export async function* readPages(window: ByteWindow, meta: ColumnMetaData, schemaPath: SchemaTree[]): AsyncGenerator<Page> {
  // hyparquet loses the day of an INT96 whose time is negative, as Spark writes them: its twelve bytes are taken as they are.
  const { element: told } = schemaPath.at(-1) as SchemaTree;
  const element = meta.type === 'INT96' ? { ...told, type_length: 12 } : told;
  const type = meta.type === 'INT96' ? 'FIXED_LEN_BYTE_ARRAY' : meta.type;
  const decoder: ColumnDecoder = {
    pathInSchema: meta.path_in_schema,
    type,
    element,
    schemaPath,
    codec: meta.codec,
    parsers: DEFAULT_PARSERS,
    compressors: COMPRESSORS,
  };
  const total = Number(meta.num_values);
  let dictionary: DecodedArray | null = null;
  for (let seen = 0; seen < total; ) {
    const header = await readHeader(window);
    const bytes = await readBody(window, header);
    if (header.type === 'DICTIONARY_PAGE') {
      const page = decompressPage(bytes, header.uncompressed_page_size, meta.codec, COMPRESSORS);
      const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
      dictionary = readPlain({ view, offset: 0 }, type, header.dictionary_page_header?.num_values ?? 0, element.type_length);
      continue;
    }
    const page = readDataOf(header, bytes, decoder);
    if (page === null) continue;
    if (page.length > total - seen) throw new Error('it holds more values than the row group says');
    seen += page.length;
    const isPlace = page.encoding.endsWith('_DICTIONARY');
    if (isPlace && dictionary === null) throw new Error('its dictionary is missing');
    yield { ...page, dictionary: isPlace ? dictionary : null };
  }
}

async function readHeader(window: ByteWindow): Promise<PageHeader> {
  for (let bytes = HEADER_BYTES; ; bytes *= 8) {
    const head = await window.peek(bytes);
    const reader = { view: new DataView(head.buffer, head.byteOffset, head.byteLength), offset: 0 };
    try {
      const header = parquetHeader(reader);
      window.skip(reader.offset);
      return header;
    } catch (error) {
      // A header may hold the smallest and the largest value, however long.
      if (!(error instanceof RangeError) || head.length < bytes || bytes > MAX_HEADER_BYTES) throw error;
    }
  }
}

async function readBody(window: ByteWindow, header: PageHeader): Promise<Uint8Array> {
  const { compressed_page_size: packed, uncompressed_page_size: unpacked, crc } = header;
  if (!(packed >= 0 && unpacked >= 0)) throw new Error('a page has no size');
  if (Math.max(packed, unpacked) > MAX_PAGE_BYTES) throw new Error(`a page of more than ${MAX_PAGE_BYTES / 1024 / 1024} MB is not read`);
  const bytes = (await window.peek(packed)).subarray(0, packed);
  if (bytes.length < packed) throw new Error('it is cut off');
  if (crc !== undefined && crc32(bytes) !== crc >>> 0) throw new Error('a page is not what its checksum says');
  window.skip(packed);
  return bytes;
}

/** Null for a page that holds no values. */
function readDataOf(header: PageHeader, bytes: Uint8Array, decoder: ColumnDecoder) {
  const old = header.data_page_header;
  if (header.type === 'DATA_PAGE' && old !== undefined) {
    if (old.definition_level_encoding === ('BIT_PACKED' as string) && decoder.schemaPath.some(isOptional))
      throw new Error('its levels are packed in a way that is no longer used');
    const page = decompressPage(bytes, header.uncompressed_page_size, decoder.codec, decoder.compressors);
    const { definitionLevels, repetitionLevels, dataPage } = readDataPage(page, old, decoder);
    const endsRow = repetitionLevels.length === 0;
    return {
      length: old.num_values,
      definitionLevels: definitionLevels ?? [],
      repetitionLevels,
      values: dataPage,
      encoding: old.encoding,
      endsRow,
    };
  }
  const own = header.data_page_header_v2;
  if (header.type !== 'DATA_PAGE_V2' || own === undefined) return null;
  const { definitionLevels, repetitionLevels, dataPage } = readDataPageV2(bytes, header, decoder);
  return {
    length: own.num_values,
    definitionLevels: definitionLevels ?? [],
    repetitionLevels,
    values: dataPage,
    encoding: own.encoding,
    endsRow: true,
  };
}

function isOptional({ element }: SchemaTree, depth: number): boolean {
  return depth > 0 && element.repetition_type !== 'REQUIRED';
}
