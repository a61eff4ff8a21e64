import { AppError, EXIT, UsageError } from '../core/errors.ts';

/** There is no state directory yet, and the caller only wanted to read one. Exit 2. */
export class NoStateError extends UsageError {
  readonly directory: string;
  constructor(directory: string) {
    super(`no state directory at ${directory}: the job has not been run here`, { code: 'no_state' });
    this.name = 'NoStateError';
    this.directory = directory;
  }
}

/** Another process holds the state directory, or has taken it over. Exit 6. */
export class LockHeldError extends AppError {
  readonly pid: number;
  readonly host: string;
  constructor(message: string, holder: { pid: number; host: string }) {
    super(message, { code: 'locked', exitCode: EXIT.locked });
    this.name = 'LockHeldError';
    this.pid = holder.pid;
    this.host = holder.host;
  }
}
