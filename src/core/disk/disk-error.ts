import { AppError, UsageError } from '../errors.ts';

/**
 * The disk failed: it is full, broken, read-only, not accessible to this user, or out of descriptors. One sentence: what, which path, what to do.
 * Exit 2 for a command that has spent nothing; a run that has ends with 5.
 */
export class DiskError extends UsageError {
  /** The system's error code, for example `ENOSPC`. */
  readonly errno: string;
  readonly path: string;
  /** The sentence without the advice. */
  readonly what: string;
  /** The reason at its end. */
  readonly reason: string;
  constructor(parts: SentenceParts, options: { readonly errno: string; readonly path: string; readonly cause: unknown }) {
    const what = `${parts.failed}: ${parts.reason}`;
    super(`${what}; ${parts.todo}`, { code: 'disk', cause: options.cause });
    this.name = 'DiskError';
    this.what = what;
    this.reason = parts.reason;
    this.errno = options.errno;
    this.path = options.path;
  }
}

interface SentenceParts {
  readonly failed: string;
  readonly reason: string;
  readonly todo: string;
}

interface Reason {
  readonly what: string;
  readonly todo: string;
}

const MAKE_WAY = 'move it away';
const ALLOW = 'give this user access to it';

/** What each error code means to a person, and what helps. */
const REASONS: Readonly<Record<string, Reason>> = {
  ENOSPC: { what: 'the disk is full', todo: 'make room' },
  EDQUOT: { what: 'the quota on this disk is used up', todo: 'make room' },
  EFBIG: { what: 'the file is too large for this disk', todo: 'use another disk' },
  EIO: { what: 'the disk reports an error', todo: 'check the disk' },
  ENXIO: { what: 'the disk reports an error', todo: 'check the disk' },
  ESTALE: { what: 'the server of this disk has lost it', todo: 'mount it again' },
  EROFS: { what: 'it is on a read-only file system', todo: 'make that writable' },
  EACCES: { what: 'permission denied', todo: ALLOW },
  EPERM: { what: 'permission denied', todo: ALLOW },
  EMFILE: { what: 'this process has too many files open', todo: 'raise the limit (ulimit -n 4096)' },
  ENFILE: { what: 'this machine has too many files open', todo: 'close some of them' },
  ENAMETOOLONG: { what: 'the name is too long for this disk', todo: 'choose a shorter one' },
  ENOTDIR: { what: 'a part of its path is not a folder', todo: MAKE_WAY },
  EISDIR: { what: 'a folder is in its place', todo: MAKE_WAY },
  ENOTEMPTY: { what: 'a folder is in its place', todo: MAKE_WAY },
  EEXIST: { what: 'something else is in its place', todo: MAKE_WAY },
  ELOOP: { what: 'a link is in its place', todo: MAKE_WAY },
  ENOENT: { what: 'it is gone', todo: 'find out what removed it' },
  EBUSY: { what: 'another program uses it', todo: 'close that program' },
};

/** Those of them that another place for the state can avoid. */
const CURED_ELSEWHERE: ReadonlySet<string> = new Set(['EROFS', 'EACCES', 'EPERM', 'ENAMETOOLONG', 'ENOSPC', 'EDQUOT']);

/** What a system call was doing; others, of networks and processes, are not errors of the disk. */
const VERBS: Readonly<Record<string, string>> = {
  open: 'open',
  mkdir: 'create the folder',
  mkdtemp: 'create a folder in',
  read: 'read',
  scandir: 'read',
  stat: 'read',
  lstat: 'read',
  readlink: 'read',
  realpath: 'read',
  access: 'use',
};
const WRITING =
  /^(write|writev|append|fsync|fdatasync|sync|datasync|ftruncate|truncate|rename|link|unlink|rm|rmdir|copyfile|copyFile|chmod|fchmod|close|utime|futime)/;

/**
 * An error of the file system as a sentence; any other error unchanged.
 * @param file the file to name, except for a folder that cannot be created; absent: the path in the error
 * @param describeRoom called if the disk is full: how much is free, and how much is wanted
 */
export function asDiskError(error: unknown, file?: string, describeRoom?: () => string): unknown {
  if (error instanceof AppError || !(error instanceof Error)) return error;
  const { code = '', syscall = '', path: named, dest } = error as NodeJS.ErrnoException & { readonly dest?: string };
  const reason = Object.hasOwn(REASONS, code) ? REASONS[code] : undefined;
  const verb = VERBS[syscall] ?? (file !== undefined || WRITING.test(syscall) ? 'write' : undefined);
  if (reason === undefined || verb === undefined) return error;
  const path = ((syscall === 'mkdir' ? named : undefined) ?? file ?? dest ?? named ?? 'a file').replace(TEMPORARY, '$1');
  const elsewhere =
    CURED_ELSEWHERE.has(code) && /[\\/]\.rowmill([\\/]|$)/.test(path) ? ', or keep the state elsewhere (--state-dir DIR)' : '';
  const todo = `${reason.todo}${elsewhere}, then run the same command again`;
  const room = describeRoom === undefined || code !== 'ENOSPC' ? '' : `: ${describeRoom()}`;
  return new DiskError(
    { failed: `cannot ${verb} ${path}`, reason: `${reason.what} (${code})${room}`, todo },
    { errno: code, path, cause: error },
  );
}

/** Precedes a file's name while it is being written. */
const TEMPORARY = /(^|[\\/])\.tmp-\w+-/;

/** Runs a file operation. @throws DiskError if the disk fails */
export function onDisk<T>(file: string, step: () => T, describeRoom?: () => string): T {
  try {
    return step();
  } catch (error) {
    throw asDiskError(error, file, describeRoom);
  }
}

/** The same for an asynchronous operation. */
export async function onDiskLater<T>(file: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw asDiskError(error, file);
  }
}
