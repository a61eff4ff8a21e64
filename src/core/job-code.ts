import type { MessageTemplate } from './job.ts';
import type { Checked } from './outcome.ts';

/** A row as a program sees it: the text of every cell by its column, as `{{ column }}` would show it. */
export type TextRow = Readonly<Record<string, string>>;

/** The messages of a row, their texts ready to be sent; null skips the row as empty. */
export type CodeMessages = readonly MessageTemplate[] | null;

/** The part of a job that is code: only a job defined in a program has any. */
export interface JobCode {
  /** What the program says about a row, at once or by a promise; it may throw. Null: the job has templates. */
  readonly renderMessages: ((row: TextRow) => CodeMessages | PromiseLike<CodeMessages>) | null;
  /** A check after the one of the job's output; it may turn the value into another. Null: there is none. */
  readonly checkValue: ((value: unknown) => Checked) | null;
  /** Looks, before anything is sent, at what the code makes of the first rows. @throws UsageError when answers could not be found again, or not be judged */
  readonly inspect: (firstRows: readonly TextRow[], signal: AbortSignal) => Promise<void>;
  /** Stands for `checkValue` where answers judged by other code have to be judged again. */
  readonly id: string;
}

export const NO_CODE: JobCode = { renderMessages: null, checkValue: null, inspect: async () => {}, id: '' };
