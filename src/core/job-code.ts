import type { MessageTemplate } from './job.ts';
import type { Checked } from './outcome.ts';

/** A row as a program sees it: the text of every cell by column, as `{{ column }}` would show it. */
export type TextRow = Readonly<Record<string, string>>;

/** The messages of a row, with their texts ready to send; null skips the row as empty. */
export type CodeMessages = readonly MessageTemplate[] | null;

/** The part of a job that is code: only a job defined in a program has one. */
export interface JobCode {
  /** The program's prompt for a row, returned directly or as a promise; it may throw. Null: the job has templates. */
  readonly renderMessages: ((row: TextRow) => CodeMessages | PromiseLike<CodeMessages>) | null;
  /** A check after that of the job's output; it may replace the value. Null: there is none. */
  readonly checkValue: ((value: unknown) => Checked) | null;
  /** Tries the code on the first rows before anything is sent. @throws UsageError if answers could not be found again or validated */
  readonly inspect: (firstRows: readonly TextRow[], signal: AbortSignal) => Promise<void>;
  /** Identifies `checkValue`: answers judged by other code have to be judged again. */
  readonly id: string;
}

export const NO_CODE: JobCode = { renderMessages: null, checkValue: null, inspect: async () => {}, id: '' };
