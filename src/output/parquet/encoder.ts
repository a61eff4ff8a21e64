import { ByteWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import type { FinishedRow } from '../../core/finished-row.ts';
import { readAnswer } from '../row-format.ts';
import { makeTableColumns } from '../table-columns.ts';
import type { TableWriterOptions } from '../table-writer-options.ts';
import { makeKeptColumn, type ParquetColumn } from './kept-column.ts';
import { makeAnswerColumn, makeSidecarColumns } from './own-columns.ts';

/** Turns rows into the bytes of a Parquet file, which depend only on the rows. */
export interface ParquetEncoder {
  /** @returns the bytes of the row group that the row has completed; null while it is not full */
  add(row: FinishedRow): Buffer | null;
  /** The rest of the file. */
  finish(): Buffer;
}

export type ParquetEncoderOptions = Omit<TableWriterOptions, 'path' | 'format' | 'excel' | 'delimiter'>;

/** A row group is held in memory, several times over, until it is written. */
const MAX_GROUP_ROWS = 50_000;
const MAX_GROUP_CHARACTERS = 16 * 1024 * 1024;
/** What a value counts in addition to its characters. */
const VALUE_CHARACTERS = 8;

export function createParquetEncoder(options: ParquetEncoderOptions): ParquetEncoder {
  const { answerColumns, answerTypes = {}, stored = null } = options;
  const { keptIndexes, keptNames, answerNames, sidecarNames } = makeTableColumns(options);
  const kept = keptNames.map((name, place) => makeKeptColumn(name, stored?.[keptIndexes[place] as number] ?? null));
  const answers = answerNames.map((name, place) => makeAnswerColumn(name, answerTypes[answerColumns[place] ?? '']));
  const own = makeSidecarColumns(sidecarNames);
  const columns: readonly ParquetColumn[] = [...kept, ...answers, ...own];
  const schema: SchemaElement[] = [{ name: 'schema', num_children: columns.length }, ...columns.flatMap(({ elements }) => elements)];
  const bytes = new ByteWriter();
  const writer = new ParquetWriter({ writer: bytes, schema, createdBy: 'rowmill' });
  let data: unknown[][] = columns.map(() => []);
  let rows = 0;
  let characters = 0;

  const takeBytes = (): Buffer => {
    const taken = Buffer.from(bytes.getBytes());
    bytes.index = 0;
    return taken;
  };
  const put = (place: number, value: unknown): void => {
    const stored = columns[place]?.store(value) ?? null;
    data[place]?.push(stored);
    characters +=
      VALUE_CHARACTERS + (typeof stored === 'string' ? stored.length : typeof value === 'object' ? JSON.stringify(value).length : 0);
  };
  const encodeGroup = (): void => {
    const columnData = columns.map(({ name }, place) => ({ name, data: data[place] as unknown[] }));
    // Nothing is awaited: bytes are gathered in memory.
    void writer.write({ columnData, rowGroupSize: rows });
    data = columns.map(() => []);
    [rows, characters] = [0, 0];
  };
  return {
    add(finished) {
      let place = 0;
      for (const index of keptIndexes) put(place++, finished.row.cells[index]);
      for (const value of readAnswer(finished, answerColumns)) put(place++, value);
      for (const { read } of own) put(place++, read(finished));
      rows += 1;
      if (rows < MAX_GROUP_ROWS && characters < MAX_GROUP_CHARACTERS) return null;
      encodeGroup();
      return takeBytes();
    },
    finish() {
      if (rows > 0) encodeGroup();
      void writer.finish();
      return takeBytes();
    },
  };
}
