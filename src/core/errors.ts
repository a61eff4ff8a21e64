/** The place of a problem in a file the user wrote. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One thing the user has to change, with its place if it has one. */
export interface Problem {
  readonly place: Place | null;
  readonly message: string;
}

/** The exit codes of the command line; docs/interface.md has the table of their meanings. */
export const EXIT = {
  done: 0,
  bug: 1,
  usage: 2,
  failedRows: 3,
  refused: 4,
  stopped: 5,
  locked: 6,
  notFinished: 7,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An error of the run, not of a row: it carries the exit code of the process. */
export class AppError extends Error {
  /** A stable word for programs, for example `lock_held`. */
  readonly code: string;
  readonly exitCode: ExitCode;
  constructor(message: string, options: { code: string; exitCode: ExitCode; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = options.code;
    this.exitCode = options.exitCode;
  }
}

/** The command line, the job file or the table is wrong; nothing was sent. Exit 2. */
export class UsageError extends AppError {
  readonly problems: readonly Problem[];
  constructor(problems: string | readonly Problem[], options: { code?: string; cause?: unknown } = {}) {
    const list = typeof problems === 'string' ? [{ place: null, message: problems }] : problems;
    super(list.map(formatProblem).join('\n'), { code: options.code ?? 'usage', exitCode: EXIT.usage, cause: options.cause });
    this.name = 'UsageError';
    this.problems = list;
  }
}

/** The state directory is damaged or foreign. `line` counts from 1; 0 means the file as a whole. Exit 1. */
export class LedgerError extends AppError {
  readonly file: string;
  readonly line: number;
  constructor(message: string, place: { file: string; line: number }, options: { cause?: unknown } = {}) {
    super(place.line > 0 ? `${place.file}:${place.line}: ${message}` : `${place.file}: ${message}`, {
      code: 'ledger',
      exitCode: EXIT.bug,
      cause: options.cause,
    });
    this.name = 'LedgerError';
    this.file = place.file;
    this.line = place.line;
  }
}

/** `file:line:column  message`, or only the message. */
export function formatProblem(problem: Problem): string {
  const { place, message } = problem;
  return place === null ? message : `${place.file}:${place.line}:${place.column}  ${message}`;
}
