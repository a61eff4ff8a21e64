import type { Lane } from '../../core/lane.ts';
import type { Request } from '../../core/request.ts';
import type { Table } from '../../core/row.ts';
import type { CompiledJob } from '../../input/compile-job.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { type Budget, BudgetError, type Excess } from '../budget/budget.ts';
import type { StepOf } from '../open/next-step.ts';
import { createRowKeys } from '../open/row-keys.ts';
import type { SelectedRows } from '../open/selection.ts';
import type { MakeDueRequest } from './due-request.ts';

export interface SendDueRowsOptions {
  readonly table: Table;
  readonly compiled: CompiledJob;
  readonly ledger: Ledger;
  readonly lane: Lane;
  readonly stepOf: StepOf;
  readonly makeDueRequest: MakeDueRequest;
  readonly selected: SelectedRows;
  /** Prompt tokens charged for a request in the current lane. */
  readonly tokensOf: (request: Request) => number;
  /** Null without a budget. */
  readonly budget: Budget | null;
  readonly signal: AbortSignal;
}

/**
 * Reads the table once and hands every due request to the lane, each once. Rows settled or in flight are skipped, so a
 * later pass picks up what an earlier one left or what came back unanswered.
 * @returns false if rows were given back meanwhile: the oldest go first, so the caller starts over
 * @throws BudgetError if the budget is used up; the cost of the remaining rows is added up first
 */
export async function sendDueRows(options: SendDueRowsOptions): Promise<boolean> {
  const { compiled, lane, ledger, selected, stepOf } = options;
  const keyRow = createRowKeys(ledger.keys, { compiled, addsKeys: true });
  let stop: BudgetStop | null = null;
  for await (const rows of options.table.readRows(options.signal)) {
    for (const row of rows) {
      if (!selected.has(row.index)) continue;
      const keyed = keyRow(row);
      if (keyed.status === 'skipped' || keyed.isDuplicate || keyed.request === null) continue;
      const step = stepOf(keyed.id);
      if (step === 'done' || step === 'failed' || step === 'in-flight') continue;
      const request = options.makeDueRequest(row, keyed.request, keyed.id, step);
      if (stop !== null) {
        stop.leftNanoUsd += stop.budget.boundOf(request);
        continue;
      }
      const tokens = options.tokensOf(request);
      // Nothing may happen between the last check of the budget and the lane.
      while (stop === null && options.budget !== null && options.budget.findExcess(request) !== null)
        stop = await makeRoom(options, options.budget, request);
      if (stop === null) await lane.add(request, tokens);
    }
    if (stop === null && lane.takeGivenBack()) return false;
    if ((rows.at(-1)?.index ?? 0) >= selected.end) break;
  }
  if (stop !== null) throw new BudgetError(stop.excess, stop.excess.isOfRun ? stop.budget.committedNanoUsd() + stop.leftNanoUsd : null);
  return true;
}

/** The budget is used up and nothing in flight could free some of it. */
interface BudgetStop {
  readonly budget: Budget;
  readonly excess: Excess;
  /** The most the remaining rows could cost. */
  leftNanoUsd: number;
}

/** Requests in flight cost less than their bound, so the pass waits for them before it gives up. @returns null if the request fits */
async function makeRoom({ lane }: SendDueRowsOptions, budget: Budget, request: Request): Promise<BudgetStop | null> {
  await lane.flush();
  for (;;) {
    const excess = budget.findExcess(request);
    if (excess === null) return null;
    if (lane.underWay.length === 0) return { budget, excess, leftNanoUsd: budget.boundOf(request) };
    await lane.nextEnd();
  }
}
