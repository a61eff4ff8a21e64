import { resolve } from 'node:path';
import { UsageError } from '../../core/errors.ts';
import type { ComparedRun, RunComparison, Scores } from '../../core/quality.ts';
import { createPlainTable } from '../../output/plain-table.ts';
import { chooseField, type Field, findComparedField } from '../../run/open/answer-field.ts';
import type { Totals } from '../../run/open/books.ts';
import type { PreparedJob } from '../../run/open/prepared-job.ts';
import { hashRowId } from '../../run/open/row-keys.ts';
import type { JobState } from '../last-run.ts';
import { resolveRun } from '../name-run.ts';
import { findState, prepareForReading, type ReadOptions } from '../open-state.ts';
import { refuseDestinations } from '../refuse-destinations.ts';
import { type Gold, openGold } from './gold.ts';
import { findJobDifferences } from './job-differences.ts';
import { type OpenedRun, openRun } from './open-run.ts';
import { createRunComparer, type RowPair } from './run-comparer.ts';

/** Two runs to be compared, and by which field. */
export interface CompareOptions {
  readonly runA: string;
  readonly runB: string;
  /** A column of the table or a file; null compares the runs with each other only. */
  readonly gold: string | null;
  /** Null for the one field with labels, else for the whole answer. */
  readonly field: string | null;
  /** Where to write every row that differs; null for nowhere. */
  readonly csv: string | null;
  /** Where a page with the comparison will be written; null for nowhere. */
  readonly page: string | null;
  /** Of the bootstrap. */
  readonly seed: number;
}

/**
 * Compares two runs on the rows they have in common, each as it was when it ended.
 * @throws UsageError if a run, its files, the field or the gold labels cannot be found
 */
export async function compareRuns(
  options: ReadOptions,
  compare: CompareOptions,
): Promise<{ readonly comparison: RunComparison; readonly state: JobState }> {
  const found = await findState(options);
  const runA = resolveRun(compare.runA, found);
  const runB = resolveRun(compare.runB, found);
  if (runA === runB) throw new UsageError(`${runA}: the same run twice; name two runs`);
  const prepared = await prepareForReading(options, found);
  const files = [
    { path: compare.csv, name: 'the table of changes' },
    { path: compare.page, name: 'the report' },
  ];
  refuseDestinations(options, prepared, { files, gold: compare.gold });
  const a = await openRun(options, found, prepared, runA);
  try {
    const b = await openRun(options, found, prepared, runB);
    try {
      const comparison = await compareRows(options, compare, { prepared, a, b, job: found.job, simulated: found.simulated });
      return { comparison, state: found.state };
    } finally {
      await b.ledger.close();
    }
  } finally {
    await a.ledger.close();
  }
}

interface Compared {
  readonly prepared: PreparedJob;
  readonly a: OpenedRun;
  readonly b: OpenedRun;
  readonly job: string;
  readonly simulated: boolean;
}

async function compareRows(options: ReadOptions, compare: CompareOptions, { prepared, a, b, ...about }: Compared): Promise<RunComparison> {
  const field = chooseSharedField(compare, a, b);
  const gold = compare.gold === null || field === null ? null : await openGold(options, prepared, field, compare.gold);
  const csvPath = compare.csv === null ? null : resolve(options.cwd, compare.csv);
  const { excel, delimiter } = prepared.compiled.job.write;
  const csv = csvPath === null ? null : await createPlainTable(csvPath, ['row', 'id', 'change', 'a', 'b', 'gold'], { excel, delimiter });
  try {
    const comparer = createRunComparer(field, compare.seed);
    const outside = { onlyInA: 0, onlyInB: 0, notInTable: 0 };
    for await (const pair of pairRows(options, { prepared, a, b, gold }, outside)) {
      const changed = comparer.add(pair);
      if (changed !== null) await csv?.write([changed.row, changed.id, changed.change, changed.a, changed.b, changed.gold]);
    }
    const source = gold?.finish() ?? null;
    const { scores, ...rows } = comparer.read(outside);
    if (rows.rows.compared === 0) throw new UsageError(`runs ${a.run} and ${b.run} have no row in common`, { code: 'no_rows' });
    await csv?.finish();
    const jobDifferences = findJobDifferences(a.spec, b.spec);
    return {
      schema: 'rowmill.diff/1',
      ...about,
      field: field?.name ?? null,
      gold: source,
      a: describeRun(a, scores?.a ?? null),
      b: describeRun(b, scores?.b ?? null),
      jobChanges: jobDifferences.map(({ key }) => key),
      jobDifferences,
      ...rows,
      costDifferenceNanoUsd: b.answers.nanoUsd - a.answers.nanoUsd,
      csv: csvPath,
    };
  } catch (error) {
    await csv?.abandon().catch(() => undefined);
    throw error;
  }
}

/** Reads the table, then the rows that have left it, and joins the answers of both runs for each row. */
async function* pairRows(
  options: ReadOptions,
  { prepared, a, b, gold }: Pick<Compared, 'prepared' | 'a' | 'b'> & { readonly gold: Gold | null },
  outside: { onlyInA: number; onlyInB: number; notInTable: number },
): AsyncGenerator<RowPair> {
  const { table, compiled } = prepared;
  const pair = (inA: number | null, inB: number | null): Pick<RowPair, 'a' | 'b'> | null => {
    if (inA !== null && inB !== null) return { a: a.readAnswer(inA), b: b.readAnswer(inB) };
    if (inA !== null) outside.onlyInA += 1;
    if (inB !== null) outside.onlyInB += 1;
    return null;
  };
  for await (const rows of table.readRows(options.signal)) {
    for (const row of rows) {
      const id = compiled.rowId(row);
      const idHash = hashRowId(id);
      const answers = pair(a.rows.take(idHash), b.rows.take(idHash));
      if (answers !== null) yield { row: row.index + 1, id, ...answers, gold: gold?.read(row) ?? null };
    }
  }
  for (const { idHash, request } of a.rows.takeRemaining()) {
    const answers = pair(request, b.rows.take(idHash));
    if (answers === null) continue;
    outside.notInTable += 1;
    yield { row: null, id: null, ...answers, gold: gold?.readByHash(idHash) ?? null };
  }
  for (const { request } of b.rows.takeRemaining()) pair(null, request);
}

/** The field both runs have; null compares whole answers, if none was named and there is no single one with labels. */
function chooseSharedField({ field, gold }: CompareOptions, a: OpenedRun, b: OpenedRun): Field | null {
  const name = field ?? findComparedField(b.job);
  if (name === null && gold === null) return null;
  const chosen = chooseField(b.job, name);
  chooseField({ ...a.job, name: `run ${a.run}` }, chosen.name);
  return chosen;
}

function describeRun({ run, models, rows, books, answers }: OpenedRun, scores: Scores | null): ComparedRun {
  return {
    run,
    model: models,
    rows: rows.size,
    ...readSpent(books.ofRun(run)),
    answersNanoUsd: answers.nanoUsd,
    unpricedAnswers: answers.unpriced,
    inputTokens: answers.usage.inputTokens,
    outputTokens: answers.usage.outputTokens,
    scores,
  };
}

function readSpent({ nanoUsd, unpricedAttempts }: Totals): Pick<ComparedRun, 'spentNanoUsd' | 'spentUnpricedAttempts'> {
  return { spentNanoUsd: nanoUsd, ...(unpricedAttempts === 0 ? {} : { spentUnpricedAttempts: unpricedAttempts }) };
}
