import type { Job } from '../../core/job.ts';

/** The share of the requested votes that agree with the answer. */
export const AGREEMENT_COLUMN = '_agreement';
/** The probability the model gave to the label it chose. */
export const CONFIDENCE_COLUMN = '_confidence';
/** The column of an answer that has no properties of its own. */
const WHOLE_ANSWER = 'answer';

/** The columns rowmill adds to each answer of a job, in order. */
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

/** Schemas of the answer's columns by name, as far as the job defines them. */
export function listAnswerTypes({ output, ...added }: Pick<Job, 'output' | 'votes' | 'confidence'>): Readonly<Record<string, unknown>> {
  const properties = output.type === 'json' ? (output.schema?.properties as Readonly<Record<string, unknown>> | undefined) : undefined;
  return { ...properties, ...Object.fromEntries(listAddedColumns(added).map((name) => [name, { type: 'number' }])) };
}

/** Adds a column to an answer; an answer without columns becomes a column first. */
export function createAddColumn({ output }: Pick<Job, 'output'>): (value: unknown, column: string, added: unknown) => unknown {
  const hasColumns = output.type === 'json' && output.columns.length > 0;
  return (value, column, added) => {
    const isRecord = hasColumns || (isMap(value) && (AGREEMENT_COLUMN in value || CONFIDENCE_COLUMN in value));
    return { ...(isRecord ? (value as object) : { [WHOLE_ANSWER]: value }), [column]: added };
  };
}

/** Shares and probabilities are rounded to four places. */
export function roundShare(share: number): number {
  return Math.round(share * 10_000) / 10_000;
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
