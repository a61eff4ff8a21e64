import type { MessageTemplate } from './job.ts';
import type { Checked } from './outcome.ts';

/** A row as a program sees it: the text of every cell by its column, as `{{ column }}` would show it. */
export type TextRow = Readonly<Record<string, string>>;

/** The part of a job that is code: only a job defined in a program has any. */
export interface JobCode {
  /** The messages of a row, their texts ready to be sent; null skips the row as empty. Null: the job has templates. */
  readonly renderMessages: ((row: TextRow) => readonly MessageTemplate[] | null) | null;
  /** A check after the one of the job's output; it may turn the value into another. Null: there is none. */
  readonly checkValue: ((value: unknown) => Checked) | null;
  /** Stands for `checkValue` where answers judged by other code have to be judged again. */
  readonly id: string;
}

export const NO_CODE: JobCode = { renderMessages: null, checkValue: null, id: '' };
