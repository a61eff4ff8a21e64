import type { SchemaElement } from 'hyparquet-writer';
import { parseDay, parseInstant, parseTimeOfDay } from './parse-time.ts';

/** Turns a cell into what is stored, the reverse of how the cell was made. */
export type StoreCell = (cell: unknown) => unknown;

/** A leaf with the type in which it can be written, and how its cells are stored. */
export interface StoredLeaf {
  readonly element: SchemaElement;
  readonly store: StoreCell;
}

/** Cells of a column of a Parquet table; null for a type that is written as text instead. */
export function chooseStoreCell(told: SchemaElement): StoredLeaf | null {
  const element = withOlderMark(told);
  const { type, logical_type: logical, converted_type: converted } = element;
  const kind = logical?.type ?? converted;
  switch (kind) {
    case 'DECIMAL': {
      const scale = logical?.type === 'DECIMAL' ? logical.scale : (element.scale ?? 0);
      // The writer recognises decimals by the older of their two annotations.
      return { element: { ...element, scale, converted_type: 'DECIMAL' }, store: (cell) => unscale(String(cell), scale) };
    }
    case 'DATE':
      return { element, store: (cell) => parseDay(String(cell)) };
    case 'TIME':
    case 'TIME_MILLIS':
    case 'TIME_MICROS': {
      const unit = NANOS_PER_UNIT[findUnit(element)] as bigint;
      return { element, store: (cell) => narrow(type, parseTimeOfDay(String(cell)) / unit) };
    }
    case 'TIMESTAMP':
    case 'TIMESTAMP_MILLIS':
    case 'TIMESTAMP_MICROS': {
      const unit = NANOS_PER_UNIT[findUnit(element)] as bigint;
      return { element, store: (cell) => parseInstant(String(cell)) / unit };
    }
    case 'STRING':
    case 'UTF8':
    case 'ENUM':
    case 'JSON':
      return { element: asText(element), store: String };
    case 'UUID':
      return { element, store: String };
    case 'FLOAT16':
      return { element, store: (cell) => Number(String(cell)) };
    case 'INTERVAL':
      return null;
    default:
  }
  switch (type) {
    case 'BOOLEAN':
      return { element, store: (cell) => cell === true };
    case 'INT32':
      return { element, store: (cell) => Number(String(cell)) };
    case 'INT64':
      return { element, store: (cell) => BigInt(String(cell)) };
    case 'FLOAT':
    case 'DOUBLE':
      return { element, store: (cell) => Number(String(cell)) };
    case 'BYTE_ARRAY':
    case 'FIXED_LEN_BYTE_ARRAY':
      return { element: withoutMark(element), store: (cell) => Buffer.from(String(cell), 'base64') };
    default:
      return null;
  }
}

/** hyparquet-writer 0.17 writes the newer annotation of whole numbers so that other readers refuse it (its width as 32 bits, not 8). */
function withOlderMark(element: SchemaElement): SchemaElement {
  const { logical_type: logical, ...rest } = element;
  if (logical?.type !== 'INTEGER') return element;
  return {
    ...rest,
    converted_type: `${logical.isSigned ? 'INT' : 'UINT'}_${logical.bitWidth}` as NonNullable<SchemaElement['converted_type']>,
  };
}

/** The writer would serialise JSON again if it had the older of its two annotations. */
function asText(element: SchemaElement): SchemaElement {
  if (element.logical_type?.type === 'JSON' || element.converted_type === 'JSON')
    return { ...element, converted_type: 'UTF8', logical_type: { type: 'STRING' } };
  return { ...element, converted_type: 'UTF8' };
}

function withoutMark({ converted_type: _, ...element }: SchemaElement): SchemaElement {
  return element;
}

const NANOS_PER_UNIT: Readonly<Record<string, bigint>> = { MILLIS: 1_000_000n, MICROS: 1_000n, NANOS: 1n };

function findUnit({ logical_type: logical, converted_type: converted }: SchemaElement): string {
  if (logical?.type === 'TIME' || logical?.type === 'TIMESTAMP') return logical.unit;
  return converted?.endsWith('MILLIS') === true ? 'MILLIS' : 'MICROS';
}

function narrow(type: string | undefined, value: bigint): number | bigint {
  return type === 'INT32' ? Number(value) : value;
}

/** `1.10` with a scale of 2 is 110. */
function unscale(text: string, scale: number): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  const digits = BigInt(`${whole}${fraction}`);
  const places = scale - fraction.length;
  return places >= 0 ? digits * 10n ** BigInt(places) : digits / 10n ** BigInt(-places);
}
