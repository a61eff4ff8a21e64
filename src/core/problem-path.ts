import { type Place, type Problem, UsageError } from './errors.ts';

/** A step into a document: a key of a map or an index of a list. */
export type Path = readonly (string | number)[];

/** Finds positions in the text a job was read from. */
export interface JobSource {
  /** The name shown to the user, relative to the working directory if below it; empty without a file. */
  readonly file: string;
  /** Whether the text contains the path. */
  has(path: Path): boolean;
  /** The position of the key (or, for a list item, the value) at the path; otherwise that of the nearest existing parent. */
  placeOf(path: Path): Place | null;
  /** The position of a character of the text at the path, given by line and column in that text, both from 1. */
  placeInText(path: Path, line: number, column: number): Place | null;
}

/** For jobs that were not read from a file: nothing has a position. */
export const NO_SOURCE: JobSource = { file: '', has: () => false, placeOf: () => null, placeInText: () => null };

/** `a.b[0].c`, as a person writes it; `the job` for the root. */
export function showPath(path: Path): string {
  if (path.length === 0) return 'the job';
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('');
}

/** A value in a message: shortened, and quoted if it is a string. */
export function showValue(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  const text = typeof value === 'string' ? JSON.stringify(value) : `${String(value)}${typeof value === 'bigint' ? 'n' : ''}`;
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** Gives problems of a file that a job names the position where the job names it, unless they have a position of their own. Other errors are returned unchanged. */
export function placeError(error: unknown, place: Place | null): unknown {
  if (!(error instanceof UsageError) || place === null) return error;
  const problems = error.problems.map((problem) => ({ ...problem, place: problem.place ?? place }));
  return new UsageError(problems, { code: error.code, cause: error.cause });
}

/** Problems in the order of the text; those without a position first. */
export function sortByPlace(problems: readonly Problem[]): Problem[] {
  const rank = ({ place }: Problem): number => (place === null ? 0 : place.line * 1e6 + place.column);
  return problems.toSorted((a, b) => rank(a) - rank(b));
}
