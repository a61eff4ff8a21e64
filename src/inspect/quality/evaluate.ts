import { UsageError } from '../../core/errors.ts';
import { showModels } from '../../core/models/split-by-model.ts';
import type { Evaluation } from '../../core/quality.ts';
import { formatCount } from '../../core/wording/format-count.ts';
import { makeScores } from '../../quality/scores.ts';
import { createTally } from '../../quality/tally.ts';
import { finishRows } from '../../run/finish/finish-rows.ts';
import { chooseField } from '../../run/open/answer-field.ts';
import { selectRows } from '../../run/open/selection.ts';
import type { JobState } from '../last-run.ts';
import { type OpenState, openState, type ReadOptions } from '../open-state.ts';
import { openGold } from './gold.ts';

/** The gold labels, and the field to compare. */
export interface EvaluateOptions {
  /** A column of the table, or a file. */
  readonly gold: string;
  /** Null for the one field with labels. */
  readonly field: string | null;
  /** Of the bootstrap. */
  readonly seed: number;
}

/** An evaluation, and whose answers it is about. */
export interface Evaluated {
  readonly evaluation: Evaluation;
  readonly state: JobState;
}

/**
 * Compares a job's answers with gold labels. Failed and skipped rows count as wrong; rows not sent yet do not count, nor do those that do
 * not match `input.where`.
 * @throws UsageError if the field, the gold labels or an answer to compare them with cannot be found
 */
export async function evaluateAnswers(options: ReadOptions, evaluate: EvaluateOptions): Promise<Evaluated> {
  const opened = await openState(options);
  try {
    return { evaluation: await compare(opened, options, evaluate), state: opened.state };
  } finally {
    await opened.ledger.close();
  }
}

async function compare(
  opened: OpenState,
  options: ReadOptions,
  { gold: name, field: fieldName, seed }: EvaluateOptions,
): Promise<Evaluation> {
  const { ledger, prepared } = opened;
  const { table, compiled } = prepared;
  const field = chooseField(compiled.job, fieldName);
  const gold = await openGold(options, prepared, field, name);
  const tally = createTally(field.name);
  const run = ledger.fold.runs.at(-1)?.id ?? null;
  const counts = { in: 0, withoutGold: 0, pending: 0 };
  let where = 0;
  for await (const rows of finishRows({
    ...{ table, compiled, ledger, stepOf: opened.stepOf, costOf: opened.books.costOf },
    selected: await selectRows({ type: 'all' }, table, options.signal),
    run: run ?? '',
    signal: options.signal,
  })) {
    for (const { row, disposition, answer } of rows) {
      counts.in += 1;
      const right = gold.read(row);
      if (disposition.status === 'skipped' && disposition.cause === 'where') where += 1;
      else if (right === null) counts.withoutGold += 1;
      else if (disposition.status === 'pending') counts.pending += 1;
      else tally.add(right, disposition.status === 'ok' ? field.read(answer) : null);
    }
  }
  const source = gold.finish();
  if (tally.cells.length === 0) {
    throw new UsageError(
      `${opened.job}: none of the ${formatCount(counts.pending)} rows with a right answer has been sent yet; run the job first`,
      {
        code: 'no_answers',
      },
    );
  }
  const scores = makeScores(tally.cells, seed);
  return {
    schema: 'rowmill.eval/1',
    job: opened.job,
    run,
    simulated: opened.simulated,
    model: showModels(compiled.job),
    field: field.name,
    gold: source,
    ...scores,
    rows: { ...counts, ...(where === 0 ? {} : { where }), ...scores.rows },
  };
}
