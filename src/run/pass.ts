import { AppError, EXIT } from '../core/errors.ts';
import type { Lane } from '../core/lane.ts';
import type { Request } from '../core/request.ts';
import type { Table } from '../core/row.ts';
import type { CompiledJob } from '../input/compile-job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Budget } from './budget.ts';
import type { MakeDueRequest } from './due-request.ts';
import type { StepOf } from './next-step.ts';
import { createRowKeys } from './row-keys.ts';
import type { SelectedRows } from './selection.ts';

export interface PassOptions {
  readonly table: Table;
  readonly compiled: CompiledJob;
  readonly ledger: Ledger;
  readonly lane: Lane;
  readonly stepOf: StepOf;
  readonly makeDueRequest: MakeDueRequest;
  readonly selected: SelectedRows;
  /** Prompt tokens a body is charged with in the lane of the moment. */
  readonly tokensOf: (body: string) => number | Promise<number>;
  /** Null without a budget. */
  readonly budget: Budget | null;
  readonly signal: AbortSignal;
}

/**
 * Goes through the table once and hands every request that is due to the lane, each once. Rows settled or on their way are passed over, so a
 * later pass takes up what an earlier one left or what came back unanswered.
 * @returns false when rows were given back meanwhile: the oldest go first, so the caller starts over
 * @throws AppError exit 5 when the budget is used up
 */
export async function sendDueRows(options: PassOptions): Promise<boolean> {
  const { compiled, lane, ledger, selected, stepOf } = options;
  const keyRow = createRowKeys(ledger.keys, { dedupe: compiled.job.dedupe, addsKeys: true });
  for await (const rows of options.table.readRows(options.signal)) {
    for (const row of rows) {
      if (!selected.has(row.index)) continue;
      const rendered = compiled.render(row);
      if (rendered.status === 'skipped') continue;
      const keyed = keyRow(rendered.request);
      if (keyed.isDuplicate) continue;
      const step = stepOf(keyed.id);
      if (step === 'done' || step === 'failed' || step === 'in-flight') continue;
      const request = options.makeDueRequest(row, keyed, step);
      if (options.budget !== null) await waitForBudget(options, options.budget, request);
      const tokens = options.tokensOf(request.body);
      await lane.add(request, typeof tokens === 'number' ? tokens : await tokens);
    }
    if (lane.takeGivenBack()) return false;
    if ((rows.at(-1)?.index ?? 0) >= selected.end) break;
  }
  return true;
}

/** What is on its way settles for less than its bound, so the pass waits for it before it gives up. */
async function waitForBudget({ lane }: PassOptions, budget: Budget, request: Request): Promise<void> {
  if (budget.findExcess(request) === null) return;
  await lane.flush();
  for (let excess = budget.findExcess(request); excess !== null; excess = budget.findExcess(request)) {
    if (lane.trips.length === 0) throw new AppError(excess, { code: 'budget', exitCode: EXIT.stopped });
    await lane.nextEnd();
  }
}
