import { crc32 } from 'node:zlib';
import type { ColumnMetaData, CompressionCodec, DecodedArray, PageHeader, ParquetType, SchemaTree } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { readPlain } from 'hyparquet/src/plain.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel } from 'hyparquet/src/schema.js';
import { formatCount } from '../../core/wording/format-count.ts';
import type { ByteWindow } from './byte-window.ts';
import { COMPRESSORS } from './codecs.ts';
import { readRuns, readValues } from './read-values.ts';

/** Values of a column with their levels, as stored in one page. */
export interface Page {
  /** Number of values, including missing ones. */
  readonly length: number;
  /** Empty: all are present, at the deepest level. */
  readonly definitionLevels: readonly number[];
  /** Empty: each starts a row. */
  readonly repetitionLevels: readonly number[];
  /** The values that are present, as stored. */
  readonly values: DecodedArray;
  /** The dictionary that the values index; null if they are the values themselves. */
  readonly dictionary: DecodedArray | null;
  /** Whether the page ends at the end of a row, which older pages do not guarantee. */
  readonly endsRow: boolean;
}

/** What is the same for all pages of a column. */
interface PageDecoder {
  readonly type: ParquetType;
  readonly typeLength: number | undefined;
  readonly codec: CompressionCodec;
  readonly schemaPath: readonly SchemaTree[];
  readonly maxRepetition: number;
  readonly maxDefinition: number;
}

/** Larger pages are refused: one is held in memory at a time. Writers cut at about 1 MB. */
const MAX_PAGE_BYTES = 512 * 1024 * 1024;
/** Likewise, including the overhead of each value. Writers cut at 20,000, or at the row group. */
const MAX_PAGE_VALUES = 20_000_000;
const INT96_BYTES = 12;
const HEADER_BYTES = 512;
const MAX_HEADER_BYTES = 64 * 1024 * 1024;

/** The pages of one column of a row group, read one after the other: no page index is needed. @throws Error with a sentence if they are damaged */
export async function* readPages(window: ByteWindow, meta: ColumnMetaData, schemaPath: SchemaTree[]): AsyncGenerator<Page> {
  // hyparquet loses the day of an INT96 with a negative time, as Spark writes them: its twelve bytes are used unchanged.
  const [type, typeLength]: readonly [ParquetType, number | undefined] =
    meta.type === 'INT96' ? ['FIXED_LEN_BYTE_ARRAY', INT96_BYTES] : [meta.type, schemaPath.at(-1)?.element.type_length];
  const [maxRepetition, maxDefinition] = [getMaxRepetitionLevel(schemaPath), getMaxDefinitionLevel(schemaPath)];
  const { codec } = meta;
  const decoder: PageDecoder = { type, typeLength, codec, schemaPath, maxRepetition, maxDefinition };
  const total = Number(meta.num_values);
  let dictionary: DecodedArray | null = null;
  for (let seen = 0; seen < total; ) {
    const header = await readHeader(window);
    refuseCount(header, total - seen);
    const bytes = await readBody(window, header);
    if (header.type === 'DICTIONARY_PAGE') {
      const page = decompressPage(bytes, header.uncompressed_page_size, codec, COMPRESSORS);
      const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
      dictionary = readPlain({ view, offset: 0 }, type, header.dictionary_page_header?.num_values ?? 0, typeLength);
      continue;
    }
    const page = readDataOf(header, bytes, decoder);
    if (page === null) continue;
    seen += page.length;
    const isPlace = page.encoding.endsWith('_DICTIONARY');
    if (isPlace && dictionary === null) throw new Error('its dictionary is missing');
    yield { ...page, dictionary: isPlace ? dictionary : null };
  }
}

/** Checked first: what a damaged header declares may not fit into memory. */
function refuseCount(
  { data_page_header: old, data_page_header_v2: own, dictionary_page_header: dictionary }: PageHeader,
  left: number,
): void {
  const length = (old ?? own)?.num_values ?? 0;
  if (!(length >= 0 && length <= left)) throw new Error('it has more values than its row group');
  if (Math.max(length, dictionary?.num_values ?? 0) > MAX_PAGE_VALUES)
    throw new Error(`pages of more than ${formatCount(MAX_PAGE_VALUES)} values are not supported`);
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
      // A header may contain the smallest and the largest value, however long.
      if (!(error instanceof RangeError) || head.length < bytes || bytes > MAX_HEADER_BYTES) throw error;
    }
  }
}

async function readBody(window: ByteWindow, header: PageHeader): Promise<Uint8Array> {
  const { compressed_page_size: packed, uncompressed_page_size: unpacked, crc } = header;
  if (!(packed >= 0 && unpacked >= 0)) throw new Error('a page has no size');
  if (Math.max(packed, unpacked) > MAX_PAGE_BYTES)
    throw new Error(`pages of more than ${MAX_PAGE_BYTES / 1024 / 1024} MB are not supported`);
  const bytes = (await window.peek(packed)).subarray(0, packed);
  if (bytes.length < packed) throw new Error('it is cut off');
  if (crc !== undefined && crc32(bytes) !== crc >>> 0) throw new Error('a page does not match its checksum');
  window.skip(packed);
  return bytes;
}

/** Null for a page without values. */
function readDataOf(header: PageHeader, bytes: Uint8Array, decoder: PageDecoder) {
  const old = header.data_page_header;
  if (header.type === 'DATA_PAGE' && old !== undefined) {
    if (old.definition_level_encoding === ('BIT_PACKED' as string) && decoder.schemaPath.some(isOptional))
      throw new Error('its levels use an obsolete encoding');
    const page = decompressPage(bytes, header.uncompressed_page_size, decoder.codec, COMPRESSORS);
    const repetition = decoder.maxRepetition === 0 ? NOTHING : takeSized(page, 0);
    const definition = decoder.maxDefinition === 0 ? NOTHING : takeSized(page, repetition.taken);
    const values = page.subarray(repetition.taken + definition.taken);
    const data = readData({ ...old, repetition: repetition.bytes, definition: definition.bytes, values }, decoder);
    // A row may continue in the next page.
    return { ...data, endsRow: decoder.maxRepetition === 0 };
  }
  const own = header.data_page_header_v2;
  if (header.type !== 'DATA_PAGE_V2' || own === undefined) return null;
  const { repetition_levels_byte_length: repeated, definition_levels_byte_length: defined } = own;
  const packed = bytes.subarray(repeated + defined);
  const unpackedBytes = header.uncompressed_page_size - repeated - defined;
  const values = own.is_compressed === false ? packed : decompressPage(packed, unpackedBytes, decoder.codec, COMPRESSORS);
  const levels = { repetition: bytes.subarray(0, repeated), definition: bytes.subarray(repeated, repeated + defined) };
  return { ...readData({ ...own, ...levels, values }, decoder), endsRow: true };
}

const NOTHING = { bytes: new Uint8Array(0), taken: 0 };
const SIZE_BYTES = 4;

/** Bytes preceded by their number. */
function takeSized(page: Uint8Array, start: number): { readonly bytes: Uint8Array; readonly taken: number } {
  const bytes = new DataView(page.buffer, page.byteOffset, page.byteLength).getUint32(start, true);
  return { bytes: page.subarray(start + SIZE_BYTES, start + SIZE_BYTES + bytes), taken: SIZE_BYTES + bytes };
}

interface PageData {
  readonly num_values: number;
  readonly encoding: string;
  readonly repetition: Uint8Array;
  readonly definition: Uint8Array;
  readonly values: Uint8Array;
}

function readData({ num_values: length, encoding, repetition, definition, values }: PageData, decoder: PageDecoder) {
  const { maxRepetition, maxDefinition, type, typeLength } = decoder;
  const repetitionLevels = maxRepetition === 0 ? [] : readRuns(repetition, countBits(maxRepetition), length);
  const definitionLevels = maxDefinition === 0 ? [] : readRuns(definition, countBits(maxDefinition), length);
  let count = length;
  for (const level of definitionLevels) if (level < maxDefinition) count -= 1;
  return {
    length,
    repetitionLevels,
    definitionLevels: count === length ? [] : definitionLevels,
    values: readValues(values, { encoding, count, type, typeLength }),
    encoding,
  };
}

function countBits(value: number): number {
  return 32 - Math.clz32(value);
}

function isOptional({ element }: SchemaTree, depth: number): boolean {
  return depth > 0 && element.repetition_type !== 'REQUIRED';
}
