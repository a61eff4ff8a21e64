import path from 'node:path';
import { type Problem, UsageError } from '../../core/errors.ts';
import type { ExamplesSpec, Job } from '../../core/job.ts';
import { type JobSource, placeError } from '../../core/problem-path.ts';
import type { Row } from '../../core/row.ts';
import { suggest } from '../../core/wording/suggest.ts';
import { compileCheckAnswer } from '../answer/check-answer.ts';
import { findLabelField } from '../answer/label-field.ts';
import { openTable } from '../table/open-table.ts';
import type { InputTable } from '../table/read-table.ts';
import { isBlankCell } from './cell-text.ts';
import { createExampleChooser, type Example } from './choose-examples.ts';
import { listAnswerFields, makeExampleAnswer } from './example-answer.ts';
import { createEngine } from './liquid-engine.ts';
import { compileTemplate } from './template.ts';

/** The examples of a job, chosen from their table, and the table for the remaining rows. */
export interface ChosenExamples {
  readonly examples: readonly Example[];
  readonly table: InputTable;
  /** The table's columns under the job's names, so that the job can be run over its rows. */
  readonly columns: readonly string[];
  /** Whether a row of the table asks the same as one of the chosen examples. */
  readonly isChosen: (row: Row) => boolean;
}

/**
 * Reads the table of a job's examples and chooses among its rows with an answer.
 * @returns null if the job has no examples
 * @throws UsageError if the table lacks a column, no row has an answer, or a chosen answer would be invalid for the job
 */
export async function readExamples(
  { job, source }: { readonly job: Job; readonly source: JobSource },
  options: { readonly cwd: string; readonly signal: AbortSignal },
): Promise<ChosenExamples | null> {
  const { examples: spec, output } = job;
  if (spec === null) return null;
  const fail = (message: string): never => {
    const problem: Problem = { place: source.placeOf(['examples']), message: `examples: ${message}` };
    throw new UsageError([problem], { code: 'job' });
  };
  const table = await openTable({ path: spec.path, format: null, delimiter: null, encoding: null, columns: null, id: [] }, options).catch(
    (error: unknown) => {
      throw placeError(error, source.placeOf(['examples', 'path']));
    },
  );
  const columns = nameColumns(spec, table);
  const readUser = compileUser(job, { spec, table, columns }, fail);
  const fields = listAnswerFields(spec, output).map(([field, column]) => {
    const index = table.columns.indexOf(column);
    return index === -1 ? fail(describeMissing(column, spec, table)) : ([field, index] as const);
  });
  if (fields.length === 0) fail('the output has no fields that could be taken from a table');

  const isLabel = output.type === 'text' && output.labels !== undefined;
  const labelField = isLabel ? fields[0]?.[0] : findLabelField(output);
  const chooser = createExampleChooser(spec);
  for await (const rows of table.readRows(options.signal)) {
    for (const row of rows) {
      const user = readUser(row);
      const cells = fields.map(([field, index]) => [field, row.cells[index]] as const);
      const assistant = user === null ? null : makeExampleAnswer(output, cells);
      if (user === null || assistant === null) continue;
      const label = String(cells.find(([field]) => field === labelField)?.[1] ?? '').trim();
      chooser.offer({ user, assistant, label, place: `${row.file}:${row.line}` });
    }
  }
  const examples = chooser.choose();
  if (examples.length === 0) fail(`no row of ${path.basename(spec.path)} has both a question and an answer`);
  const check = compileCheckAnswer(output);
  for (const { assistant, place } of examples) {
    const checked = check(assistant);
    if (!checked.ok) fail(`${place}: its answer does not match the job's output: ${checked.message}`);
  }
  const users = new Set(examples.map(({ user }) => user));
  return { examples, table, columns, isChosen: (row) => users.has(readUser(row) ?? '') };
}

type Fail = (message: string) => never;

/** The job's question about a row of the examples; null if its cells are blank. */
function compileUser(
  job: Job,
  { spec, table, columns }: { readonly spec: ExamplesSpec; readonly table: InputTable; readonly columns: readonly string[] },
  fail: Fail,
): (row: Row) => string | null {
  const asked = job.messages.at(-1);
  if (asked?.role !== 'user' || asked.images !== undefined) return fail('need a prompt that ends with a user message without images');
  for (const column of Object.values(spec.input)) if (!table.columns.includes(column)) fail(describeMissing(column, spec, table));
  const { template, problems } = compileTemplate(asked.content, { engine: createEngine(), columns, labels: job.labels });
  const missing = problems.find(({ missingColumn }) => missingColumn !== undefined)?.missingColumn;
  if (missing !== undefined) fail(describeMissing(missing, spec, table));
  if (template === null) return fail('the prompt cannot be read');
  return ({ cells }) => {
    if (template.columns.every((index) => isBlankCell(cells[index]))) return null;
    try {
      return template.render(cells);
    } catch {
      return null;
    }
  };
}

/** A column loses its name if that is assigned to another one. */
function nameColumns({ input }: ExamplesSpec, { columns }: InputTable): readonly string[] {
  const names = new Map(Object.entries(input).map(([name, column]) => [column, name]));
  return columns.map((column) => names.get(column) ?? (Object.hasOwn(input, column) ? `${column}_original` : column));
}

function describeMissing(name: string, spec: ExamplesSpec, { columns }: InputTable): string {
  return `no column "${name}" in ${path.basename(spec.path)}; name it in examples.input or examples.output. Columns: ${columns.join(', ')}${suggest(name, columns)}`;
}
