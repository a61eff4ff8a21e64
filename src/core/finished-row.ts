import type { Disposition, Row } from './row.ts';
import type { Usage } from './usage.ts';

/** A row with its end: what the tables and the report are made of. */
export interface FinishedRow {
  readonly row: Row;
  readonly disposition: Disposition;
  /** The checked answer when ok, else undefined. */
  readonly answer: unknown;
  /** The answer with its numbers as they were written; absent where JavaScript writes them so. */
  readonly writtenAnswer?: unknown;
  /** How long the answer was as a text; absent where it was none. Rows with long ones are not gathered. */
  readonly answerCharacters?: number | undefined;
  /** What was removed around the answer before it was read; absent when nothing was. */
  readonly note?: string;
  /** Whether it is ok without a word of the provider that it is finished; absent: no. */
  readonly isUnmarked?: boolean;
  /** Attempts used on this row in this run. */
  readonly attempts: number;
  /** The model that gave the winning answer; null without one. */
  readonly model: string | null;
  /** Over all of the row's attempts in this run; zero for reused and duplicate rows. */
  readonly usage: Usage;
  /** What the winning answer used, in whatever run it was given; zero without one. */
  readonly answerUsage: Usage;
  /** Over all of the row's attempts in this run; null when a part of it has no known price. */
  readonly costNanoUsd: number | null;
  readonly requestId: string | null;
  /** The key of the row's request; null for a row that could not be rendered. */
  readonly key: string | null;
}
