import { resolve } from 'node:path';
import { clip } from '../../core/bounds/clip.ts';
import { UsageError } from '../../core/errors.ts';
import type { Evaluation, WrongRow } from '../../core/quality.ts';
import { formatCount } from '../../core/wording/format-count.ts';
import { createPlainTable, type PlainTable } from '../../output/plain-table.ts';
import { makeScores } from '../../quality/scores.ts';
import { createTally, isCorrect } from '../../quality/tally.ts';
import { chooseField } from '../../run/open/answer-field.ts';
import type { JobState } from '../last-run.ts';
import type { ReadOptions } from '../open-state.ts';
import { refuseDestinations } from '../refuse-destinations.ts';
import { openGold } from './gold.ts';
import { type OpenAnswers, openAnswers } from './open-answers.ts';

/** The gold labels, the field to compare, and whose answers. */
export interface EvaluateOptions {
  /** A column of the table, or a file. */
  readonly gold: string;
  /** Null for the one field with labels. */
  readonly field: string | null;
  /** A run, whose answers are judged as it left them; null for the answers as they are now. */
  readonly run: string | null;
  /** Where to write every wrong row; null for nowhere. */
  readonly csv: string | null;
  /** Of the bootstrap. */
  readonly seed: number;
}

/** An evaluation, and whose answers it is about. */
export interface Evaluated {
  readonly evaluation: Evaluation;
  readonly state: JobState;
  /** Whether the gold labels are from the table the job itself writes. */
  readonly isOwnTable: boolean;
}

const MAX_EXAMPLES = 20;
const MAX_SHOWN_CHARACTERS = 200;

/**
 * Compares a job's answers with gold labels. Failed rows count as wrong; rows that were skipped or not sent yet do not count.
 * @throws UsageError if the run, the field, the gold labels or an answer to compare them with cannot be found
 */
export async function evaluateAnswers(options: ReadOptions, evaluate: EvaluateOptions): Promise<Evaluated> {
  const answers = await openAnswers(options, evaluate.run);
  try {
    const { csv, gold } = evaluate;
    refuseDestinations(options, answers.prepared, { files: [{ path: csv, name: 'the table of wrong rows' }], gold });
    const { excel, delimiter } = answers.prepared.compiled.job.write;
    const path = csv === null ? null : resolve(options.cwd, csv);
    const table = path === null ? null : await createPlainTable(path, ['row', 'id', 'gold', 'answer', 'text'], { excel, delimiter });
    try {
      const evaluation = { ...(await compare(answers, options, evaluate, table)), csv: path };
      await table?.finish();
      const isOwnTable = evaluation.gold.type === 'file' && resolve(options.cwd, gold) === answers.prepared.compiled.job.write.path;
      return { evaluation, state: answers.state, isOwnTable };
    } catch (error) {
      await table?.abandon().catch(() => undefined);
      throw error;
    }
  } finally {
    await answers.close();
  }
}

async function compare(
  { prepared, job, run, models, simulated, readRows }: OpenAnswers,
  options: ReadOptions,
  { gold: name, field: fieldName, seed }: EvaluateOptions,
  csv: PlainTable | null,
): Promise<Omit<Evaluation, 'csv'>> {
  const field = chooseField(job, fieldName);
  const gold = await openGold(options, prepared, field, name);
  const tally = createTally(field.name);
  const counts = { in: 0, withoutGold: 0, pending: 0 };
  const unsent = { where: 0, skipped: 0 };
  const wrong: WrongRow[] = [];
  for await (const row of readRows(gold)) {
    counts.in += 1;
    if (row.answer.status === 'where') unsent.where += 1;
    else if (row.gold === null) counts.withoutGold += 1;
    else if (row.answer.status === 'pending') counts.pending += 1;
    else if (row.answer.status === 'skipped') unsent.skipped += 1;
    else {
      const given = row.answer.status === 'ok' ? field.read(row.answer.value) : null;
      tally.add(row.gold, given);
      if (isCorrect(row.gold, given) || (csv === null && wrong.length === MAX_EXAMPLES)) continue;
      const [right, answer, text] = [
        row.gold.join(' | '),
        row.answer.status === 'none' ? row.answer.why : (given?.join(' | ') ?? ''),
        row.readText(),
      ];
      await csv?.write([row.row, row.id, right, answer, text]);
      if (wrong.length < MAX_EXAMPLES) wrong.push({ row: row.row, id: row.id, gold: right, answer: shorten(answer), text: shorten(text) });
    }
  }
  const source = gold.finish();
  if (tally.cells.length === 0) throw new UsageError(describeNothing(job.name, counts.pending + unsent.skipped), { code: 'no_answers' });
  const scores = makeScores(tally.cells, seed);
  return {
    schema: 'rowmill.eval/1',
    ...{ job: job.name, run, simulated, model: models, field: field.name, gold: source },
    ...scores,
    rows: {
      ...counts,
      ...(unsent.where === 0 ? {} : { where: unsent.where }),
      ...(unsent.skipped === 0 ? {} : { skipped: unsent.skipped }),
      ...scores.rows,
    },
    wrong,
  };
}

function shorten(text: string): string {
  return clip(text, MAX_SHOWN_CHARACTERS);
}

function describeNothing(job: string, pending: number): string {
  return `${job}: none of the ${formatCount(pending)} rows with a right answer has been sent yet; run the job first`;
}
