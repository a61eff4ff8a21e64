import type { DecodedArray, ParquetType } from 'hyparquet';
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from 'hyparquet/src/delta.js';
import { byteStreamSplit, readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import { readPlain } from 'hyparquet/src/plain.js';
import { readVarInt } from 'hyparquet/src/thrift.js';

/** How the values of a page are stored, and how many there are, not counting missing ones. */
export interface StoredValues {
  readonly encoding: string;
  readonly count: number;
  readonly type: ParquetType;
  readonly typeLength: number | undefined;
}

/** Decodes the values of a page; with a dictionary they are indexes into it. @throws Error if they are damaged */
export function readValues(bytes: Uint8Array, { encoding, count, type, typeLength }: StoredValues): DecodedArray {
  if (count === 0) return [];
  const reader = openReader(bytes);
  switch (encoding) {
    case 'PLAIN':
      return readPlain(reader, type, count, typeLength);
    case 'PLAIN_DICTIONARY':
    case 'RLE_DICTIONARY':
      return readRuns(bytes.subarray(1), reader.view.getUint8(0), count);
    case 'RLE':
      return readRuns(bytes.subarray(4), 1, count);
    case 'BYTE_STREAM_SPLIT':
      return byteStreamSplit(reader, count, type, typeLength);
    case 'DELTA_BINARY_PACKED': {
      const numbers = type === 'INT32' ? new Int32Array(count) : new BigInt64Array(count);
      checkBlocks(bytes);
      deltaBinaryUnpack(reader, count, numbers);
      return numbers;
    }
    case 'DELTA_LENGTH_BYTE_ARRAY':
    case 'DELTA_BYTE_ARRAY': {
      const values = new Array<Uint8Array>(count);
      checkBlocks(bytes);
      (encoding === 'DELTA_BYTE_ARRAY' ? deltaByteArray : deltaLengthByteArray)(reader, count, values);
      return values;
    }
    default:
      throw new Error(`its encoding, ${encoding}, is not supported`);
  }
}

const MAX_WIDTH = 32;
/** Bit-packed numbers come in groups of eight, and a writer may pad the last run to its maximum. */
const PADDING = 504;

/** Decodes numbers of a given bit width that are stored in runs. */
export function readRuns(bytes: Uint8Array, width: number, count: number): number[] {
  const numbers = new Array<number>(count);
  if (width === 0) return numbers.fill(0);
  if (width > MAX_WIDTH) throw new Error(`values of ${width} bits are invalid`);
  checkRuns(bytes, width, count);
  readRleBitPackedHybrid(openReader(bytes), width, numbers, bytes.length);
  return numbers;
}

/** The library repeats a number as often as a damaged header says: for minutes, and until memory is full. */
function checkRuns(bytes: Uint8Array, width: number, count: number): void {
  const reader = openReader(bytes);
  for (let seen = 0; seen < count; ) {
    const header = readVarInt(reader);
    const isPacked = (header & 1) === 1;
    const length = isPacked ? (header >>> 1) * 8 : header >>> 1;
    if (length > count - seen + (isPacked ? PADDING : 0)) throw new Error('a run is longer than its page');
    reader.offset += isPacked ? (length / 8) * width : Math.ceil(width / 8);
    seen += length;
  }
}

/** Without this, empty blocks would be read forever. */
function checkBlocks(bytes: Uint8Array): void {
  const reader = openReader(bytes);
  const [block, parts] = [readVarInt(reader), readVarInt(reader)];
  if (!(block > 0 && parts > 0 && block % parts === 0)) throw new Error('its blocks of values have an invalid size');
}

function openReader(bytes: Uint8Array) {
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
}
