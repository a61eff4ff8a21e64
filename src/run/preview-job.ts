import type { Job } from '../core/job.ts';
import { KeyIndex } from '../ledger/key-index.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { findPrice } from '../money/price.ts';
import type { Books } from './books.ts';
import { createStepOf } from './next-step.ts';
import type { RunOptions } from './options.ts';
import type { PreparedJob } from './prepare.ts';
import { type Preview, previewRun } from './preview.ts';
import { longestAnswerTokens } from './price-bounds.ts';
import type { SelectedRows } from './selection.ts';

export interface PreviewJobOptions {
  readonly prepared: PreparedJob;
  /** Null before the first run. */
  readonly ledger: Ledger | null;
  readonly books: Books | null;
  readonly selected: SelectedRows;
  readonly countsExactly: boolean;
  readonly options: Pick<RunOptions, 'effects' | 'priceAsOf' | 'signal'>;
}

/** The preview of a job over what its ledger holds. */
export async function previewOpenJob({ prepared, ledger, books, selected, countsExactly, options }: PreviewJobOptions): Promise<Preview> {
  const { compiled, table } = prepared;
  const { job } = compiled;
  const learned = ledger?.fold.learnedLimits.get(job.model) ?? null;
  const configured = job.limits.enqueuedTokens;
  const at = options.priceAsOf ?? options.effects.clock().toISOString();
  return previewRun({
    table,
    compiled,
    selected,
    keys: ledger?.keys ?? new KeyIndex(),
    stepOf: ledger === null ? () => 'new' : createStepOf(ledger, job, 'working'),
    warnings: [...table.warnings, ...compiled.warnings, ...warnOfCosts(job, at)],
    knownRowIds: ledger === null ? null : readKnownRowIds(ledger),
    meanOutputTokens: books === null ? null : readMeanOutputTokens(books),
    enqueuedTokens: learned === null ? configured : Math.min(learned, configured ?? learned),
    at,
    countsExactly,
    signal: options.signal,
  });
}

function warnOfCosts(job: Job, at: string): readonly string[] {
  const warnings: string[] = [];
  if (findPrice(job.model, { lane: 'batch', tier: null, at }) === null) warnings.push(`the batch price of ${job.model} is unknown`);
  const longest = longestAnswerTokens(job);
  if (longest === null) warnings.push(`how long an answer of ${job.model} can be is unknown; set params.max_output_tokens`);
  else if (job.params.max_output_tokens === undefined) {
    warnings.push(`no params.max_output_tokens: the worst case, and a budget, reserve the model’s ${longest} tokens for each answer`);
  }
  return warnings;
}

function readKnownRowIds(ledger: Ledger): ReadonlySet<string> | null {
  const last = ledger.fold.runs.findLast((run) => run.endedAt !== null);
  const rows = last === undefined ? null : ledger.runFiles.readRunRows(last.id);
  return rows === null ? null : new Set(Array.from(rows, ({ idHash }) => idHash));
}

function readMeanOutputTokens({ life }: Books): number | null {
  const attempts = life.batchAttempts + life.liveAttempts;
  return attempts === 0 ? null : life.usage.outputTokens / attempts;
}
