import type { SchemaElement } from 'hyparquet-writer';
import { AppError, EXIT } from '../../core/errors.ts';
import type { FinishedRow } from '../../core/finished-row.ts';
import { formatError, formatSource } from '../row-format.ts';
import { makeTextColumn, type ParquetColumn } from './kept-column.ts';

const NUMBER: Partial<SchemaElement> = { type: 'DOUBLE' };
const WHOLE: Partial<SchemaElement> = { type: 'INT64' };
const BOOLEAN: Partial<SchemaElement> = { type: 'BOOLEAN' };
/** Nano-dollars are dollars with nine decimals. */
const DOLLARS: Partial<SchemaElement> = {
  type: 'INT64',
  converted_type: 'DECIMAL',
  logical_type: { type: 'DECIMAL', precision: 18, scale: 9 },
  precision: 18,
  scale: 9,
};

/** A column of ours with its value for each row. */
export interface OwnColumn extends ParquetColumn {
  readonly read: (finished: FinishedRow) => unknown;
}

/** What rowmill adds to each row, in the order of its names. */
export function makeSidecarColumns(names: readonly string[]): readonly OwnColumn[] {
  const columns: readonly (readonly [Partial<SchemaElement> | null, OwnColumn['read']])[] = [
    [null, ({ disposition }) => disposition.status],
    [null, formatError],
    [null, formatSource],
    [WHOLE, ({ attempts }) => attempts],
    [null, ({ model }) => model],
    [WHOLE, ({ usage }) => usage.inputTokens],
    [WHOLE, ({ usage }) => usage.cachedInputTokens],
    [WHOLE, ({ usage }) => usage.outputTokens],
    [WHOLE, ({ usage }) => usage.reasoningTokens],
    [DOLLARS, ({ costNanoUsd }) => costNanoUsd],
    [null, ({ requestId }) => requestId],
    [BOOLEAN, () => true],
  ];
  return names.map((name, place) => {
    const [type, read] = columns[place] as (typeof columns)[number];
    return { ...makeColumn(name, type), read };
  });
}

/** A column of answers, by the schema of its values: anything that is not of one simple type is text, lists and objects as JSON. */
export function makeAnswerColumn(name: string, schema: unknown): ParquetColumn {
  const { type } = (schema ?? {}) as { readonly type?: unknown };
  const types = [type].flat().filter((one) => one !== 'null');
  if (types.length !== 1) return makeTextColumn(name);
  return makeColumn(name, { integer: WHOLE, number: NUMBER, boolean: BOOLEAN }[String(types[0])] ?? null);
}

function makeColumn(name: string, type: Partial<SchemaElement> | null): ParquetColumn {
  if (type === null) return makeTextColumn(name);
  const store = type.type === 'INT64' ? storeWhole(name) : type.type === 'DOUBLE' ? storeNumber : (cell: unknown) => cell ?? null;
  return { name, elements: [{ name, repetition_type: 'OPTIONAL', ...type }], store };
}

function storeNumber(cell: unknown): number | null {
  return cell === undefined || cell === null ? null : Number(cell);
}

const MAX_WHOLE = 2n ** 63n;

function storeWhole(name: string) {
  return (cell: unknown): bigint | null => {
    if (cell === undefined || cell === null) return null;
    const value = BigInt(cell as number);
    if (value < MAX_WHOLE && value >= -MAX_WHOLE) return value;
    const message = `column "${name}": ${value} does not fit into the 64 bits of a Parquet integer; set a write.path that ends in .jsonl. Answers are kept`;
    throw new AppError(message, { code: 'parquet_range', exitCode: EXIT.stopped });
  };
}
