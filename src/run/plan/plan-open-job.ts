import type { Job } from '../../core/job.ts';
import { isReasoningModel } from '../../input/request/params.ts';
import { KeyIndex } from '../../ledger/key-index.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { LeaveOut } from '../../ledger/runs.ts';
import { longestAnswerTokens } from '../../money/cost-bound.ts';
import type { FindPrice } from '../../money/price.ts';
import type { AnswerHistory } from '../open/answer-history.ts';
import type { Books } from '../open/books.ts';
import type { KeptSummary } from '../open/kept-summary.ts';
import { createStepOf } from '../open/next-step.ts';
import type { PreparedJob } from '../open/prepared-job.ts';
import type { SelectedRows } from '../open/selection.ts';
import type { RunOptions } from '../options.ts';
import { readKeptJob } from './kept-job.ts';
import { createKnownRows } from './known-rows.ts';
import type { Plan } from './plan-result.ts';
import { type LastRunFacts, planTable } from './plan-table.ts';

export interface PlanOpenJobOptions {
  readonly prepared: PreparedJob;
  /** Null before the first run. */
  readonly opened: { readonly ledger: Ledger; readonly history: AnswerHistory } | null;
  readonly selected: SelectedRows;
  readonly countsExactly: boolean;
  readonly options: Pick<RunOptions, 'effects' | 'priceAsOf' | 'signal'>;
}

/** The plan of a job over what its ledger holds. */
export async function planOpenJob({ prepared, opened, selected, countsExactly, options }: PlanOpenJobOptions): Promise<Plan> {
  const { compiled, table, tokens, findPrice } = prepared;
  const { job } = compiled;
  const ledger = opened?.ledger ?? null;
  const learned = ledger?.fold.learnedLimits.get(job.model) ?? null;
  const leftOut: string[] = [];
  const leaveOut = (message: string) => leftOut.push(message);
  const answers = opened === null ? null : opened.history.read(listRunsOfModel(opened.ledger, job.model, leaveOut));
  const configured = job.limits.enqueuedTokens;
  const at = options.priceAsOf ?? options.effects.clock().toISOString();
  return planTable({
    table,
    compiled,
    selected,
    tokens,
    keys: ledger?.keys ?? new KeyIndex(),
    stepOf: ledger === null ? () => 'new' : createStepOf(ledger, job, 'working'),
    warnings: [
      ...table.warnings,
      ...compiled.warnings,
      ...leftOut,
      ...warnOfCosts(job, findPrice, at),
      ...(answers === null ? warnOfReasoning(job) : []),
    ],
    last: ledger === null ? null : readLastRun(ledger, job),
    answers,
    readInputTokens: (id, key) => (ledger === null ? null : readInputTokens(ledger, id, key)),
    enqueuedTokens: learned === null ? configured : Math.min(learned, configured ?? learned),
    findPrice,
    at,
    countsExactly,
    signal: options.signal,
  });
}

function warnOfCosts(job: Job, findPrice: FindPrice, at: string): readonly string[] {
  const warnings: string[] = [];
  if (findPrice(job.model, { lane: 'batch', tier: null, at }) === null) warnings.push(`the batch price of ${job.model} is unknown`);
  const longest = longestAnswerTokens(job);
  if (longest === null) warnings.push(`how long an answer of ${job.model} can be is unknown; set params.max_output_tokens`);
  else if (longest > 0 && job.params.max_output_tokens === undefined) {
    warnings.push(`no params.max_output_tokens: the worst case, and a budget, reserve the model’s ${longest} tokens for each answer`);
  }
  if (job.budget.nanoUsdPerRow !== null && job.params.max_output_tokens === undefined) {
    warnings.push('budget.usd_per_row without params.max_output_tokens bounds the input of a row, not its answer');
  }
  return warnings;
}

function warnOfReasoning({ model }: Job): readonly string[] {
  if (!isReasoningModel(model)) return [];
  return [`${model} bills its reasoning as output, and no schema tells how much it is: run --sample 50 measures it`];
}

function readLastRun({ fold, runFiles }: Ledger, job: Job): LastRunFacts | null {
  const last = fold.runs.findLast((run) => run.endedAt !== null);
  if (last === undefined) return null;
  const rows = runFiles.readRunRows(last.id);
  const text = runFiles.readRunFile(last.id, 'job.yaml');
  const isSame = text === null || text === job.text;
  return { rows: rows === null ? null : createKnownRows(rows), job: isSame ? null : readKeptJob(text, job.directory) };
}

/** The runs that asked this model, the oldest first; a run that kept no summary is taken to be one of them. */
function listRunsOfModel({ fold, runFiles }: Ledger, model: string, leaveOut: LeaveOut): readonly string[] {
  return fold.runs
    .map(({ id }) => id)
    .filter((id) => ((runFiles.readRunSummary(id, leaveOut) as KeptSummary | null)?.summary.model ?? model) === model);
}

/** Only an answer to the row's own request, not to a re-ask of it, tells what that request costs. */
function readInputTokens(ledger: Ledger, id: number, key: string): number | null {
  return ledger.readHistory(id).find(({ customId, outcome }) => customId === key && outcome === 'ok')?.usage?.inputTokens ?? null;
}

/** Output tokens of all attempts so far, on average; null before the first. */
export function readMeanOutputTokens({ life }: Books): number | null {
  const attempts = life.batchAttempts + life.liveAttempts;
  return attempts === 0 ? null : life.usage.outputTokens / attempts;
}
