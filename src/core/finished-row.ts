import type { Disposition, Row } from './row.ts';
import type { Usage } from './usage.ts';

/** A row with its end: the input of tables and report. */
export interface FinishedRow {
  readonly row: Row;
  readonly disposition: Disposition;
  /** The checked answer if ok, else undefined. */
  readonly answer: unknown;
  /** The answer with numbers as written; absent if JavaScript writes them the same way. */
  readonly writtenAnswer?: unknown;
  /** The length of the answer as text; absent if it was not text. Rows with long answers are not grouped. */
  readonly answerCharacters?: number | undefined;
  /** What was removed around the answer before it was read; absent if nothing was. */
  readonly note?: string;
  /** Whether it is ok without the provider saying that it is finished; absent: no. */
  readonly isUnmarked?: boolean;
  /** Whether it shares the request of an earlier row; absent: no. */
  readonly isDuplicate?: boolean;
  /** Whether it is pending and its request is in no batch; absent: no. */
  readonly isUnsent?: boolean;
  /** Attempts used on this row in this run. */
  readonly attempts: number;
  /** The model of the winning answer; null without one. */
  readonly model: string | null;
  /** Over all of the row's attempts in this run; zero for reused and duplicate rows. */
  readonly usage: Usage;
  /** The usage of the winning answer, in whatever run it was given; zero without one. */
  readonly answerUsage: Usage;
  /** Over all of the row's attempts in this run; null if part of it has no known price. */
  readonly costNanoUsd: number | null;
  readonly requestId: string | null;
  /** The key of the row's request; null for a row that could not be rendered. */
  readonly key: string | null;
}
