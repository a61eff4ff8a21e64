import type { LaneName } from '../core/lane.ts';
import { describeGuessedHeader } from '../input/draft/guessed-header.ts';
import { showFile } from '../input/table/find-files.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type BudgetLimits, makeCostBounds } from './budget/budget.ts';
import type { AnswerHistory } from './open/answer-history.ts';
import type { Books } from './open/books.ts';
import type { PreparedJob } from './open/prepared-job.ts';
import { type SelectedRows, selectRows } from './open/selection.ts';
import type { RunOptions } from './options.ts';
import { choosePrice } from './plan/choose-lane.ts';
import { type PlannedRun, planOpenJob } from './plan/plan-open-job.ts';
import type { StatusKeeper } from './status/status-keeper.ts';

/** What a run is going to do, confirmed by the user. */
export interface Agreement {
  readonly planned: PlannedRun;
  readonly selected: SelectedRows;
  /** Where requests go at first. */
  readonly laneName: LaneName;
  readonly limits: BudgetLimits;
}

/**
 * Warns about table and job, plans the run as it will be, including what it reopens, and has it confirmed. Nothing is changed and nothing is sent.
 * @throws UsageError if the answer is no, or its budget cannot be kept
 */
export async function agreeOnRun(
  prepared: PreparedJob,
  opened: { readonly ledger: Ledger; readonly history: AnswerHistory; readonly books: Books; readonly status: StatusKeeper },
  options: RunOptions,
): Promise<Agreement> {
  const { job, warnings } = prepared.compiled;
  for (const warning of [...prepared.table.warnings, ...warnings]) options.warn(warning);
  const selected = await selectRows(options.selection, prepared.table, options.signal);
  // An open run had its estimate when it started.
  const countsExactly = opened.ledger.fold.currentRun === null || options.isFresh;
  const pass = await opened.status.startPass();
  const planned = await planOpenJob({ prepared, opened, selected, countsExactly, watchRows: pass.watchRows, options });
  for (const warning of [...prepared.table.readWarnings(), ...planned.lostAnswers]) options.warn(warning);
  if (selected.isAll) await pass.end();
  const { plan, opening, laneName, limits, reaches } = planned;
  const spending = {
    priced: choosePrice(job.mode, laneName),
    overNanoUsd: job.confirmOverNanoUsd,
    budgetNanoUsd: reaches.map(({ leftNanoUsd }) => leftNanoUsd).reduce(lesser, null),
    maxLiveNanoUsd: limits.live,
    guess: opened.ledger.fold.runs.length > 0 ? null : describeGuessedHeader(job, prepared.table, nameTable(prepared, options)),
  };
  for (const warning of planned.budgetWarnings) options.warn(warning);
  if (plan.modelEnd !== null) for (const { message } of planned.modelEnds) options.warn(message);
  await options.confirm(plan, spending);
  makeCostBounds({
    job,
    limits,
    firstLane: laneName,
    findPrice: prepared.findPrice,
    sets: [opening.set],
    at: options.priceAsOf ?? options.effects.clock().toISOString(),
  });
  return { planned, selected, laneName, limits };
}

function nameTable({ table }: PreparedJob, { overrides }: RunOptions): string {
  return table.files.map((file) => showFile(file, overrides.cwd))[0] ?? 'the table';
}

function lesser(a: number | null, b: number): number {
  return a === null ? b : Math.min(a, b);
}
