import type { Job } from '../../core/job.ts';

/** The share of the votes asked for that agree with the answer. */
export const AGREEMENT_COLUMN = '_agreement';
/** The probability the model gave the label it chose. */
export const CONFIDENCE_COLUMN = '_confidence';
/** Under this name the answer stands when it has no properties of its own. */
const WHOLE_ANSWER = 'answer';

/** What a job has rowmill add to each answer, in the order of the columns. */
export function listAddedColumns({ votes, confidence }: Pick<Job, 'votes' | 'confidence'>): readonly string[] {
  return [...(votes > 1 ? [AGREEMENT_COLUMN] : []), ...(confidence === null ? [] : [CONFIDENCE_COLUMN])];
}

/** Properties of the answer, each a column of the output table; empty: the whole answer is one column. */
export function listAnswerColumns(job: Pick<Job, 'output' | 'votes' | 'confidence'>): readonly string[] {
  const columns = job.output.type === 'json' ? job.output.columns : [];
  const added = listAddedColumns(job);
  if (added.length === 0) return columns;
  return [...(columns.length === 0 ? [WHOLE_ANSWER] : columns), ...added];
}

/** Schemas of the answer's columns, as far as the job says them, by name. */
export function listAnswerTypes({ output, ...added }: Pick<Job, 'output' | 'votes' | 'confidence'>): Readonly<Record<string, unknown>> {
  const properties = output.type === 'json' ? (output.schema?.properties as Readonly<Record<string, unknown>> | undefined) : undefined;
  return { ...properties, ...Object.fromEntries(listAddedColumns(added).map((name) => [name, { type: 'number' }])) };
}

/** Adds a column to an answer; one that has no columns of its own becomes a column first. */
export function createAddColumn({ output }: Pick<Job, 'output'>): (value: unknown, column: string, added: unknown) => unknown {
  const hasColumns = output.type === 'json' && output.columns.length > 0;
  return (value, column, added) => {
    const isRecord = hasColumns || (isMap(value) && (AGREEMENT_COLUMN in value || CONFIDENCE_COLUMN in value));
    return { ...(isRecord ? (value as object) : { [WHOLE_ANSWER]: value }), [column]: added };
  };
}

/** Shares and probabilities are told to four places. */
export function roundShare(share: number): number {
  return Math.round(share * 10_000) / 10_000;
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
