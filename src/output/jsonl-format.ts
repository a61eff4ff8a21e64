import { AppError, EXIT } from '../core/errors.ts';
import { stringifyExactly } from '../core/exact/exact-number.ts';
import type { FinishedRow } from '../core/finished-row.ts';
import type { Row } from '../core/row.ts';
import { formatUsd } from '../core/summary.ts';
import { findRecordClash } from './row-check.ts';
import { formatError, formatSource, type RowFormat, readAnswer } from './row-format.ts';
import type { TableColumns } from './table-columns.ts';

/** The options of a JSONL table. */
export interface JsonlFormatOptions {
  readonly columns: TableColumns;
  /** Whether a JSON record is carried over whole, with keys that are not columns of the table. */
  readonly keepsRecord: boolean;
  /** Properties of the answer; empty: the whole answer is one key. */
  readonly answerColumns: readonly string[];
  readonly simulated: boolean;
}

/** Rows as one JSON object per line: the record's own keys in order, then ours; numbers are numbers, missing values are null. */
export function createJsonlFormat(options: JsonlFormatOptions): RowFormat {
  const { columns, keepsRecord, answerColumns, simulated } = options;
  const keptKeys = columns.keptNames.map(makeKeyText);
  const ownNames = [...columns.answerNames, ...columns.sidecarNames];
  const ownKeys = ownNames.map(makeKeyText);

  const formatKept = (row: Row): string => {
    if (keepsRecord && row.record !== null) return formatRecord(row, row.record, ownNames);
    const parts: string[] = [];
    columns.keptIndexes.forEach((index, place) => {
      const value = row.cells[index];
      if (value !== undefined) parts.push(keptKeys[place] + stringifyExactly(value));
    });
    return parts.join(',');
  };
  const formatRow = (finished: FinishedRow): string => {
    const kept = formatKept(finished.row);
    const values = readAnswer(finished, answerColumns).map((value) => (value === undefined ? 'null' : stringifyExactly(value)));
    values.push(...formatSidecar(finished));
    if (simulated) values.push('true');
    const own = values.map((value, place) => ownKeys[place] + value).join(',');
    return kept === '' ? `{${own}}\n` : `{${kept},${own}}\n`;
  };
  return { head: '', format: (rows) => rows.map(formatRow).join('') };
}

/** The sidecar's values as JSON texts; dollars are a number with all nine decimals. */
function formatSidecar(finished: FinishedRow): readonly string[] {
  const { usage, costNanoUsd } = finished;
  return [
    JSON.stringify(finished.disposition.status),
    JSON.stringify(formatError(finished)),
    JSON.stringify(formatSource(finished)),
    String(finished.attempts),
    JSON.stringify(finished.model),
    String(usage.inputTokens),
    String(usage.cachedInputTokens),
    String(usage.outputTokens),
    String(usage.reasoningTokens),
    costNanoUsd === null ? 'null' : formatUsd(costNanoUsd),
    JSON.stringify(finished.requestId),
  ];
}

/** The inside of the record's braces. If the table changed after it was checked, keys may clash with ours; then nothing is overwritten. */
function formatRecord(row: Row, record: Readonly<Record<string, unknown>>, ownNames: readonly string[]): string {
  const clash = findRecordClash(record, ownNames);
  if (clash !== undefined) {
    const message = `${row.file}:${row.line}: the record has a key "${clash}", which is a column of ours. Set another write.prefix and run again; answers are kept`;
    throw new AppError(message, { code: 'column_clash', exitCode: EXIT.stopped });
  }
  return stringifyExactly(record).slice(1, -1);
}

function makeKeyText(name: string): string {
  return `${JSON.stringify(name)}:`;
}
