import type { FinishedRow } from '../core/finished-row.ts';

/** How finished rows become text. */
export interface RowFormat {
  /** What precedes the first row; may be empty. */
  readonly head: string;
  /** The rows' lines, each with its line end. */
  format(rows: readonly FinishedRow[]): string;
}

/** The answer's value for each answer column, numbers as written: its properties, or the whole of it; undefined if there is none. */
export function readAnswer({ answer: plain, writtenAnswer }: FinishedRow, answerColumns: readonly string[]): readonly unknown[] {
  const answer = writtenAnswer ?? plain;
  if (answerColumns.length === 0) return [answer];
  if (typeof answer !== 'object' || answer === null) return answerColumns.map(() => undefined);
  return answerColumns.map((name) => (Object.hasOwn(answer, name) ? (answer as Record<string, unknown>)[name] : undefined));
}

/** `cause: message` of a row that failed or was skipped, else null. */
export function formatError({ disposition }: FinishedRow): string | null {
  return 'cause' in disposition ? `${disposition.cause}: ${disposition.message}` : null;
}

/** Where an ok row's answer came from, else null. */
export function formatSource({ disposition }: FinishedRow): string | null {
  return disposition.status === 'ok' ? disposition.source : null;
}
