import { UsageError } from '../../core/errors.ts';
import type { Job } from '../../core/job.ts';
import type { CodeMessages, JobCode, TextRow } from '../../core/job-code.ts';
import type { Row, Table } from '../../core/row.ts';
import { waitUnlessAborted } from '../../core/waiting/wait-unless-aborted.ts';
import type { InputTable } from '../table/read-table.ts';
import { compileWhere } from '../where/compile-where.ts';
import { isPassedOver } from '../where/pass-over.ts';
import { describeMissingColumn } from './compile-messages.ts';
import { compileTextRow, guardColumns } from './text-row.ts';

/** The results of a program's prompt function for the rows of a table. */
export interface CodePrompts {
  /** The result for a row from a table of `awaitIn`. @throws whatever the function throws, or its promise is rejected with */
  messagesOf(row: Row): CodeMessages;
  /** The row as the function sees it. */
  makeRow(row: Row): TextRow;
  /** The same table, which yields a row only when the function has returned or resolved for it. */
  awaitIn(table: InputTable): InputTable;
}

/** How many promises of an asynchronous function are awaited at once. */
const MOST_AT_ONCE = 32;

type Said = { readonly messages: CodeMessages } | { readonly error: unknown };

/** Binds a prompt function to the columns of a table. */
export function createCodePrompts(job: Job, code: JobCode, { columns }: Pick<Table, 'columns'>): CodePrompts {
  const compiled = compileTextRow(columns);
  const said = new WeakMap<Row, Said>();
  const where = job.input.where === undefined ? null : compileWhere(job.input.where, columns).condition;
  const makeError = (column: string) => new UsageError(`prompt: ${describeMissingColumn(column, job, columns)}`, { code: 'job' });
  const makeRow = (row: Row) => guardColumns(compiled(row.cells), makeError);

  /** @returns a promise only if the function returns one; neither throws */
  function ask(row: Row): Promise<void> | null {
    try {
      const given = code.renderMessages?.(makeRow(row)) ?? null;
      if (given === null || !('then' in given)) {
        said.set(row, { messages: given });
        return null;
      }
      return Promise.resolve(given).then(
        (messages) => void said.set(row, { messages }),
        (error: unknown) => void said.set(row, { error }),
      );
    } catch (error) {
      said.set(row, { error });
      return null;
    }
  }

  async function* awaitRows(chunks: AsyncIterable<readonly Row[]>, signal: AbortSignal): AsyncGenerator<readonly Row[]> {
    for await (const rows of chunks) {
      let ready: Row[] = [];
      let waiting: Promise<void>[] = [];
      for (const row of rows) {
        const promise = said.has(row) || isPassedOver(row, where) ? null : ask(row);
        ready.push(row);
        if (promise !== null) waiting.push(promise);
        if (waiting.length < MOST_AT_ONCE) continue;
        await waitUnlessAborted(Promise.all(waiting), signal);
        yield ready;
        [ready, waiting] = [[], []];
      }
      await waitUnlessAborted(Promise.all(waiting), signal);
      if (ready.length > 0) yield ready;
    }
  }

  return {
    messagesOf(row) {
      const known = said.get(row);
      if (known === undefined) throw new Error('a row was not given out by the table whose prompts are waited for');
      if ('error' in known) throw known.error;
      return known.messages;
    },
    makeRow,
    awaitIn: (table) => ({ ...table, readRows: (signal, onSha256) => awaitRows(table.readRows(signal, onSha256), signal) }),
  };
}
