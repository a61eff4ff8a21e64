import { UsageError } from '../../core/errors.ts';
import { suggest } from '../../core/wording/suggest.ts';
import { showCell } from '../../input/request/cell-text.ts';
import { makeSheetColumns, writeMarkSheet } from '../../output/mark-sheet.ts';
import { ANSWER_COLUMN } from '../../output/table-columns.ts';
import { finishRows } from '../../run/finish/finish-rows.ts';
import { chooseField } from '../../run/open/answer-field.ts';
import { selectRows } from '../../run/open/selection.ts';
import type { JobState } from '../last-run.ts';
import { type OpenState, openState, type ReadOptions } from '../open-state.ts';
import { refuseDestinations } from '../refuse-destinations.ts';
import { locateSheet, readSheet } from './read-sheet.ts';
import { createRowSampler, makeSheetRow, type Stratify } from './row-sampler.ts';

/** How many rows a person should label, and which. */
export interface SampleOptions {
  readonly rows: number;
  readonly seed: number;
  /** A column of the answer or of the table, each value of which should be in the sample; null for any rows. */
  readonly by: string | null;
  /** The field to label; null for the one with labels. */
  readonly field: string | null;
}

/** What `sample --json` prints. */
export interface Sample {
  readonly schema: 'rowmill.sample/1';
  readonly job: string;
  readonly run: string | null;
  readonly simulated: boolean;
  /** The sheet; absolute. */
  readonly path: string;
  readonly field: string;
  /** The allowed values of `_gold`; null for anything. */
  readonly labels: readonly string[] | null;
  readonly seed: number;
  readonly by: string | null;
  readonly rows: {
    /** Rows with an answer, or that failed: the sample is drawn from them. */
    readonly eligible: number;
    readonly sampled: number;
    /** Written by this command; the others were already in the sheet. */
    readonly added: number;
    /** In the sheet now. */
    readonly inSheet: number;
    /** Labelled before this command, which changes none of them. */
    readonly marked: number;
  };
  /** Empty without `by`. The largest first. */
  readonly strata: readonly { readonly value: string; readonly rows: number; readonly sampled: number }[];
}

/**
 * Draws rows for a person to label and writes them into a sheet next to the table. The same seed draws the same rows; an existing sheet
 * keeps its rows and labels, and only gets missing rows.
 * @throws UsageError if there is nothing to label, or a file of the sheet's name is not a sheet
 */
export async function sampleRows(
  options: ReadOptions,
  sampling: SampleOptions,
): Promise<{ readonly sample: Sample; readonly state: JobState }> {
  const opened = await openState(options);
  try {
    return { sample: await writeSample(opened, options, sampling), state: opened.state };
  } finally {
    await opened.ledger.close();
  }
}

async function writeSample(
  opened: OpenState,
  options: ReadOptions,
  { rows: wanted, seed, by, field: fieldName }: SampleOptions,
): Promise<Sample> {
  const { ledger, prepared } = opened;
  const { table, compiled } = prepared;
  const field = chooseField(compiled.job, fieldName);
  const path = locateSheet(compiled.job);
  refuseDestinations(options, prepared, { files: [{ path, name: 'the sheet' }] });
  const sheet = await readSheet(path, options.cwd, options.signal);
  const sampler = createRowSampler({ rows: wanted, seed, stratify: by === null ? null : chooseStratum(opened, by) });
  const run = ledger.fold.runs.at(-1)?.id ?? null;
  for await (const rows of finishRows({
    ...{ table, compiled, ledger, stepOf: opened.stepOf, costOf: opened.books.costOf },
    selected: await selectRows({ type: 'all' }, table, options.signal),
    run: run ?? '',
    signal: options.signal,
  })) {
    for (const row of rows) sampler.add(row, compiled.rowId(row.row));
  }
  const { chosen, eligible, strata } = sampler.read();
  if (eligible === 0) throw new UsageError(`${opened.job}: no row has an answer to judge; run the job first`, { code: 'no_answers' });
  const added = chosen.filter(({ ref }) => sheet?.refs.has(ref) !== true);
  const newRows = added.map((row) => makeSheetRow(row, table.columns, field));
  const keptRows = sheet?.rows ?? [];
  if (added.length > 0) {
    const columns = sheet?.columns ?? makeSheetColumns(table.columns);
    await writeMarkSheet(path, { columns, keptRows, newRows, delimiter: compiled.job.write.delimiter });
  }
  return {
    schema: 'rowmill.sample/1',
    job: opened.job,
    run,
    simulated: opened.simulated,
    path,
    field: field.name,
    labels: field.labels,
    seed,
    by,
    rows: {
      eligible,
      sampled: chosen.length,
      added: added.length,
      inSheet: keptRows.length + added.length,
      marked: sheet?.marked ?? 0,
    },
    strata: by === null ? [] : strata,
  };
}

/** A column of the answer, else of the table. */
function chooseStratum({ prepared }: OpenState, name: string): Stratify {
  const { compiled, table } = prepared;
  const answerColumns = compiled.answerColumns.length === 0 ? [ANSWER_COLUMN] : compiled.answerColumns;
  if (answerColumns.includes(name)) {
    const field = chooseField(compiled.job, name);
    return ({ disposition, answer }) => (disposition.status === 'ok' ? field.read(answer).join(' | ') : '(failed)');
  }
  const column = table.columns.indexOf(name);
  if (column >= 0) return ({ row }) => showCell(row.cells[column]);
  const names = [...answerColumns, ...table.columns];
  throw new UsageError(`--by ${name}: no such column in the answer or the table; columns: ${names.join(', ')}${suggest(name, names)}`);
}
