import type { FinishedRow } from '../core/finished-row.ts';
import type { Cause } from '../core/outcome.ts';
import { compileTextRow } from '../input/request/text-row.ts';
import { finishRows } from '../run/finish/finish-rows.ts';
import { createStepOf } from '../run/open/next-step.ts';
import { openJobLedger } from '../run/open/open-job-ledger.ts';
import { prepareJob } from '../run/open/prepare.ts';
import { selectRows } from '../run/open/selection.ts';
import type { PlanOptions } from '../run/plan/plan.ts';
import type { RowOf, RowResult } from './job-definition.ts';

/** Joins every row of a run with its answer, from the current state directory: nothing is held in memory. */
export async function* streamResults<Column extends string, Answer>(
  options: PlanOptions,
  run: string,
): AsyncGenerator<RowResult<Column, Answer>, void, undefined> {
  const prepared = await prepareJob({ ...options, stdin: null });
  const selected = await selectRows(options.selection, prepared.table, options.signal);
  const { ledger, books } = await openJobLedger(prepared, { ...options, origin: options.target.origin, access: 'read' });
  try {
    const makeRow = compileTextRow(prepared.table.columns);
    const stepOf = createStepOf(ledger, prepared.compiled.job, 'reading');
    for await (const rows of finishRows({ ...prepared, ledger, stepOf, costOf: books.costOf, selected, run, signal: options.signal })) {
      for (const finished of rows) yield makeResult(makeRow(finished.row.cells) as RowOf<Column>, finished);
    }
  } finally {
    await ledger.close();
  }
}

function makeResult<Column extends string, Answer>(row: RowOf<Column>, finished: FinishedRow): RowResult<Column, Answer> {
  const { disposition, attempts, costNanoUsd } = finished;
  const shared = { row, index: finished.row.index, attempts, costNanoUsd };
  switch (disposition.status) {
    case 'ok':
      // The job's own check has accepted it, and its type was derived from that check.
      return { ...shared, disposition: 'ok', output: finished.answer as Answer, source: disposition.source };
    case 'failed':
      return { ...shared, disposition: 'failed', cause: disposition.cause as Cause, message: disposition.message };
    case 'skipped':
      return { ...shared, disposition: 'skipped', cause: disposition.cause, message: disposition.message };
    case 'pending':
      return { ...shared, disposition: 'pending' };
    default:
      return disposition satisfies never;
  }
}
