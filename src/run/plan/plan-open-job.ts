import { UsageError } from '../../core/errors.ts';
import type { Job } from '../../core/job.ts';
import type { LaneName } from '../../core/lane.ts';
import { splitByModel } from '../../core/models/split-by-model.ts';
import { formatCount } from '../../core/wording/format-count.ts';
import { mayThink } from '../../input/request/model-params.ts';
import { createFold } from '../../ledger/events/fold-events.ts';
import { KeyIndex } from '../../ledger/key-index.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { LeaveOut } from '../../ledger/runs.ts';
import { longestAnswerTokens } from '../../money/cost-bound.ts';
import type { FindPrice, PriceQuery } from '../../money/price.ts';
import { takesCacheOptions } from '../../money/prompt-cache.ts';
import { findClosestModel, suggestModel } from '../../money/tier-table.ts';
import { createRowCheck } from '../../output/row-check.ts';
import { type BudgetLimits, readLimits } from '../budget/budget.ts';
import { makeBudgetFacts, warnOfBudget, warnOfReach } from '../budget/facts.ts';
import { type ForeseeOptions, foreseeBudgets } from '../budget/foresee-budget.ts';
import type { BudgetReach } from '../budget/reach.ts';
import type { AnswerHistory } from '../open/answer-history.ts';
import { type Books, createBooks } from '../open/books.ts';
import { FIRST_OPENING, foreseeOpening, type Opening } from '../open/opening.ts';
import type { PreparedJob } from '../open/prepared-job.ts';
import type { SelectedRows } from '../open/selection.ts';
import type { RunOptions } from '../options.ts';
import { beginWithBatches } from '../send/deadline.ts';
import { createDueRequests } from '../send/due-request.ts';
import { guessReasoning } from './answer-forecast.ts';
import { chooseLane, choosePrice } from './choose-lane.ts';
import { findContinuedRun } from './continued-run.ts';
import { warnOfForgotten } from './forgotten.ts';
import { readKeptJob } from './kept-job.ts';
import { createKnownRows } from './known-rows.ts';
import { readMeasured } from './measured-answers.ts';
import { type LastRunFacts, makeWarning, type PlannedTable, type PlanTableOptions, planTable } from './plan-table.ts';
import { countAsked } from './spending.ts';

export interface PlanOpenJobOptions {
  readonly prepared: PreparedJob;
  /** Null before the first run. */
  readonly opened: { readonly ledger: Ledger; readonly history: AnswerHistory; readonly books: Books } | null;
  readonly selected: SelectedRows;
  readonly countsExactly: boolean;
  /** As in `PlanTableOptions`. */
  readonly watchRows?: PlanTableOptions['watchRows'];
  readonly shownRequests?: PlanTableOptions['shownRequests'];
  readonly options: Pick<RunOptions, 'effects' | 'priceAsOf' | 'signal' | 'isFresh' | 'reopen'> &
    Partial<Pick<RunOptions, 'maxNanoUsd' | 'deadline'>>;
}

/** What a run is going to do, and what it changes in the ledger for that. */
export interface PlannedRun extends PlannedTable {
  readonly opening: Opening;
  /** Where requests go at first. */
  readonly laneName: LaneName;
  readonly limits: BudgetLimits;
  /** What each budget means for it; empty if there is none. */
  readonly reaches: readonly BudgetReach[];
  readonly budgetWarnings: readonly string[];
}

/** The plan of a job with what its ledger holds, as it will be once a run has started. Nothing is changed. */
export async function planOpenJob({
  prepared,
  opened,
  selected,
  countsExactly,
  watchRows = null,
  shownRequests = null,
  options,
}: PlanOpenJobOptions): Promise<PlannedRun> {
  const { compiled, table, tokens, findPrice } = prepared;
  const { job } = compiled;
  const ledger = opened?.ledger ?? null;
  const leftOut = new Set<string>();
  const leaveOut = (message: string) => leftOut.add(message);
  const answers = opened === null ? null : readMeasured(opened, job, leaveOut);
  const last = ledger === null ? null : readLastRun(ledger, job, leaveOut);
  const configured = job.limits.enqueuedTokens;
  const enqueuedTokensOf = (model: string) => {
    const learned = ledger?.fold.learnedLimits.get(model) ?? null;
    return learned === null ? configured : Math.min(learned, configured ?? learned);
  };
  const today = options.effects.clock().toISOString();
  const at = options.priceAsOf ?? today;
  refuseUnsoldFlex(job, findPrice, at);
  const firstLane = options.deadline == null ? null : beginWithBatches(job.mode);
  const opening = ledger === null ? FIRST_OPENING : foreseeOpening(ledger, job, options);
  const forgotten = opened !== null && opening.isFresh ? await warnOfForgotten({ prepared, opened, selected, options }) : null;
  const planned = await planTable({
    table,
    compiled,
    selected,
    watchRows,
    tokens,
    keys: ledger?.keys ?? new KeyIndex(),
    opening,
    forgotten,
    noLongerOk: ledger?.noLongerOk ?? new Set(),
    makeDueRequest: ledger === null ? (_, request) => request : createDueRequests(ledger, opening.view, prepared),
    checkRow: createRowCheck({ ...job.write, columns: table.columns, answerColumns: compiled.answerColumns }),
    readWarnings: () => table.readWarnings(),
    warnings: [
      ...table.warnings,
      ...compiled.warnings,
      ...leftOut,
      ...(ledger === null ? [] : warnOfAltered(ledger)),
      ...new Set(splitByModel(job).flatMap((one) => warnOfCosts(one, findPrice, at))),
      ...new Set(answers === null ? splitByModel(job).flatMap(warnOfReasoning) : []),
    ],
    last,
    answers,
    readInputTokens: (id, key) => (ledger === null ? null : readInputTokens(ledger, id, key)),
    enqueuedTokensOf,
    findPrice,
    priceNote: prepared.priceNoteAt(at),
    at,
    ends: prepared.modelEnds.map((end) => ({ ...end, today })),
    countsExactly,
    shownRequests,
    signal: options.signal,
  });
  const books = opened?.books ?? createBooks(() => null);
  const about = { books, job, view: opening.view, rows: planned.plan.rows, isAll: selected.isAll, leaveOut };
  const continues = ledger === null ? null : findContinuedRun({ ...about, ledger });
  const plan = continues === null ? planned.plan : { ...planned.plan, continues };
  const fold = ledger?.fold ?? createFold().fold;
  return { ...planned, ...addBudgets({ ...planned, plan }, { job, firstLane, fold, books, findPrice, at, opening, options }), opening };
}

type Budgeted = Pick<PlannedRun, 'plan' | 'laneName' | 'limits' | 'reaches' | 'budgetWarnings'>;

/** Reports what budgets mean for the plan, how much is left of those over several runs, and whether they will suffice. */
function addBudgets({ plan, size }: PlannedTable, { job, firstLane, opening, options, ...parts }: BudgetParts): Budgeted {
  const { priceAsOf, effects } = options;
  const laneName = firstLane ?? chooseLane(job.mode, plan);
  const cost = countAsked(plan) === 0 ? null : plan.cost[choosePrice(job.mode, laneName)];
  const limits = readLimits(job, options);
  const expectedNanoUsd = cost?.expectedNanoUsd ?? null;
  const work = { size, expectedNanoUsd, files: plan.shards.length, set: opening.set };
  const reaches = foreseeBudgets({ ...parts, ...work, job, limits, lane: laneName, priceAsOf, clock: effects.clock });
  const budgets = makeBudgetFacts(job.budget, parts.books, effects.clock());
  const budgetWarnings = [
    ...warnOfReach(reaches, expectedNanoUsd ?? 0, laneName),
    ...budgets.map((budget) => warnOfBudget(budget, expectedNanoUsd ?? 0)),
  ].filter((warning) => warning !== null);
  const budget = reaches.find(({ isOfRun }) => isOfRun);
  const shown = { ...(budget === undefined ? {} : { budget }), ...(budgets.length === 0 ? {} : { budgets }) };
  const problems = [...plan.problems, ...budgetWarnings.map(makeWarning)];
  return { plan: { ...plan, ...shown, problems }, laneName, limits, reaches, budgetWarnings };
}

interface BudgetParts extends Pick<ForeseeOptions, 'job' | 'fold' | 'books' | 'findPrice' | 'at'> {
  /** The lane of a run with a deadline; null without one. */
  readonly firstLane: 'batch' | null;
  readonly opening: Opening;
  readonly options: PlanOpenJobOptions['options'];
}

/** Answers that no longer count because their file was altered. */
export function warnOfAltered({ altered, responsePath }: Ledger): readonly string[] {
  return [...new Set(altered.values())].map(
    (name) =>
      `${responsePath(name)} was altered: its answers are not used, and their rows are held as unknown; restore the file from a backup, or send them, and pay, again: rowmill retry --cause unknown`,
  );
}

/** A model that is sold, but not at this tier: every call would be refused. @throws UsageError */
function refuseUnsoldFlex({ mode, model }: Job, findPrice: FindPrice, at: string): void {
  if (mode !== 'flex' || findPrice(model, { lane: 'live', tier: 'flex', at }) !== null) return;
  if (findPrice(model, { lane: 'live', tier: null, at }) === null) return;
  throw new UsageError(`mode: flex: ${model} is not sold at the flex price here; use mode: batch, which is half price too, or mode: live`, {
    code: 'unsold_tier',
  });
}

/** Which of the three prices applies to the job's first requests. */
function readPricedLane({ mode }: Job): { readonly name: string; readonly query: Omit<PriceQuery, 'at'> } {
  if (mode === 'flex') return { name: 'flex', query: { lane: 'live', tier: 'flex' } };
  const lane = mode === 'live' ? 'live' : 'batch';
  return { name: lane, query: { lane, tier: null } };
}

function warnOfCosts(job: Job, findPrice: FindPrice, at: string): readonly string[] {
  const warnings: string[] = [];
  const { name, query } = readPricedLane(job);
  if (findPrice(job.model, { ...query, at }) === null) {
    const closest = findClosestModel(job.model);
    warnings.push(
      closest === null
        ? `the ${name} price of ${job.model} is unknown; set one in prices.yaml, next to the job file${suggestModel(job.model)}`
        : `no model ${job.model} is known, so its price and limits are unknown too. Did you mean "${closest}"? If the name is right, set the ${name} price in prices.yaml, next to the job file`,
    );
  }
  if (job.params.prompt_cache === 'explicit' && !takesCacheOptions(job.model)) {
    warnings.push(`params.prompt_cache: ${job.model} takes no cache options and charges nothing for cache writes; nothing is sent for it`);
  }
  const longest = longestAnswerTokens(job);
  if (longest === null)
    warnings.push(
      `how long an answer of ${job.model} can be is unknown; ${job.requests === undefined ? 'set params.max_output_tokens' : 'its requests name no output cap'}`,
    );
  else if (longest > 0 && job.params.max_output_tokens === undefined) {
    warnings.push(
      `${job.requests === undefined ? 'no params.max_output_tokens' : `requests to ${job.model} without an output cap`}: the worst case, and a budget, reserve the model’s ${formatCount(longest)} tokens for each answer`,
    );
  }
  if (job.budget.nanoUsdPerRow !== null && job.params.max_output_tokens === undefined) {
    warnings.push('budget.usd_per_row without params.max_output_tokens bounds the input of a row, not its answer');
  }
  return warnings;
}

function warnOfReasoning(job: Job): readonly string[] {
  if (!mayThink(job)) return [];
  const tokens = formatCount(Math.round(guessReasoning(job)));
  return [`${job.model} bills its reasoning as output: ${tokens} tokens an answer are assumed until some answers are measured`];
}

function readLastRun({ fold, runFiles }: Ledger, job: Job, leaveOut: LeaveOut): LastRunFacts | null {
  const last = fold.runs.findLast((run) => run.endedAt !== null);
  if (last === undefined) return null;
  const rows = runFiles.readRunRows(last.id, leaveOut);
  const text = runFiles.readRunFile(last.id, 'job.yaml', leaveOut);
  const isSame = text === null || text === job.text;
  return { rows: rows === null ? null : createKnownRows(rows), job: isSame ? null : readKeptJob(text, job.directory) };
}

/** Only an answer to the row's own request, not to a re-ask of it, shows what that request costs. */
function readInputTokens(ledger: Ledger, id: number, key: string): number | null {
  return ledger.readHistory(id).find(({ customId, outcome }) => customId === key && outcome === 'ok')?.usage?.inputTokens ?? null;
}
