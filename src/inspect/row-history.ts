import { closeSync } from 'node:fs';
import { UsageError } from '../core/errors.ts';
import type { OutcomeStatus } from '../core/outcome.ts';
import { hideImageData, parseCustomId } from '../core/request.ts';
import { readResponseLine } from '../core/response-line.ts';
import type { Disposition } from '../core/row.ts';
import type { LineLocation, SettledRecord } from '../core/settled.ts';
import { openForReading, readBytesAt } from '../ledger/disk/durable-files.ts';
import { finishRows } from '../run/finish/finish-rows.ts';
import { selectRows } from '../run/open/selection.ts';
import { readAnswerText } from '../run/send/due-request.ts';
import { type OpenState, openState, type ReadOptions } from './open-state.ts';

/** One row, with everything that was sent and answered for it (`failures --row ID --json`). */
export interface RowHistory {
  readonly schema: 'rowmill.row/1';
  readonly job: string;
  readonly id: string;
  /** From 1. */
  readonly row: number;
  readonly file: string;
  readonly line: number;
  readonly key: string | null;
  readonly disposition: Disposition;
  /** The body of the row's request; null for a row that could not be rendered. */
  readonly request: unknown;
  /** In all runs, oldest first. */
  readonly attempts: readonly RowAttempt[];
}

export interface RowAttempt {
  readonly run: string;
  readonly customId: string;
  readonly lane: 'batch' | 'live';
  readonly outcome: OutcomeStatus;
  /** Why it is not ok; empty if it is. */
  readonly message: string;
  /** The raw text of the answer; null if there was none. */
  readonly answer: string | null;
  readonly requestId: string | null;
  /** Null if the price or the usage is unknown. */
  readonly costNanoUsd: number | null;
}

/**
 * Finds a row by its id, as named by the job's `input.id`, and reads its whole history.
 * @throws UsageError if no row has that id
 */
export async function readRowHistory(options: ReadOptions, id: string): Promise<RowHistory> {
  const opened = await openState(options);
  try {
    return await findRow(opened, options, id);
  } finally {
    await opened.ledger.close();
  }
}

async function findRow(opened: OpenState, options: ReadOptions, id: string): Promise<RowHistory> {
  const { ledger, prepared, stepOf, books, job } = opened;
  const { table, compiled } = prepared;
  const selected = await selectRows({ type: 'all' }, table, options.signal);
  const run = ledger.fold.runs.at(-1)?.id ?? '';
  const finishing = { table, compiled, ledger, stepOf, costOf: books.costOf, selected, run, signal: options.signal };
  for await (const rows of finishRows(finishing)) {
    for (const { row, key, disposition } of rows) {
      if (compiled.rowId(row) !== id) continue;
      const rendered = compiled.render(row);
      return {
        schema: 'rowmill.row/1',
        job,
        id,
        row: row.index + 1,
        file: row.file,
        line: row.line,
        key,
        disposition,
        request: rendered.status === 'request' ? JSON.parse(hideImageData(rendered.request.body)) : null,
        attempts: key === null ? [] : await readAttempts(opened, key),
      };
    }
  }
  const hint = prepared.compiled.job.input.id.length === 0 ? 'the row’s number, from 1' : `input.id: ${compiled.job.input.id.join('/')}`;
  throw new UsageError(`no row has the id ${JSON.stringify(id)} (${hint})`, { code: 'no_row' });
}

async function readAttempts(opened: OpenState, key: string): Promise<readonly RowAttempt[]> {
  const attempts: RowAttempt[] = [];
  for (const run of opened.ledger.fold.runs) {
    for await (const records of opened.ledger.recordsOfRun(run.id)) {
      for (const record of records) {
        if (parseCustomId(record.customId)?.key === key) attempts.push(readAttempt(opened, record));
      }
    }
  }
  return attempts;
}

function readAttempt({ ledger, books }: OpenState, record: SettledRecord): RowAttempt {
  const reading = readResponseLine(readLineText(ledger.responsePath(record.location.file), record.location));
  const line = reading.status === 'line' && reading.line.custom_id === record.customId ? reading.line : null;
  return {
    run: record.run,
    customId: record.customId,
    lane: record.lane,
    outcome: record.outcome,
    message: line === null ? '' : ledger.decide(line).message,
    answer: readAnswerText(line),
    requestId: line?.response?.request_id ?? null,
    costNanoUsd: books.costOf(record),
  };
}

function readLineText(file: string, location: Pick<LineLocation, 'offsetBytes' | 'lengthBytes'>): string {
  const descriptor = openForReading(file);
  try {
    return readBytesAt(descriptor, location).toString('utf8');
  } finally {
    closeSync(descriptor);
  }
}
