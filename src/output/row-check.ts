import type { Row } from '../core/row.ts';
import { formatOfTable } from './output-paths.ts';
import { type ColumnsOptions, makeTableColumns } from './table-columns.ts';

/** @returns why the table cannot hold the row, in words that follow its place; null if it can */
export type CheckRow = (row: Row) => string | null;

/** What can be checked about a row before it is sent: a record that is carried over whole may have keys that its table's header did not show. */
export function createRowCheck(options: Omit<ColumnsOptions, 'simulated'> & { readonly path: string }): CheckRow {
  if (formatOfTable(options.path) !== 'jsonl' || options.keep !== 'all') return () => null;
  const { answerNames, sidecarNames } = makeTableColumns({ ...options, simulated: true });
  const ownNames = [...answerNames, ...sidecarNames];
  return ({ record }) => {
    const clash = record === null ? undefined : findRecordClash(record, ownNames);
    return clash === undefined ? null : `the record has a key "${clash}", which is a column of ours; set another write.prefix`;
  };
}

/** A column of ours that a record has as a key. */
export function findRecordClash(record: Readonly<Record<string, unknown>>, ownNames: readonly string[]): string | undefined {
  return ownNames.find((name) => Object.hasOwn(record, name));
}
