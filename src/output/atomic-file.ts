import { createHash, hash } from 'node:crypto';
import { type FileHandle, open, readdir, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { onDiskLater } from '../core/disk/disk-error.ts';
import { makeFolders } from '../core/disk/make-folders.ts';
import { UsageError } from '../core/errors.ts';

/** A file that replaces another only when it is complete; until then it is written next to it under another name. */
export interface AtomicFile {
  /** Appends; resolves when the bytes are handed to the system, or are few enough to be held, so awaiting it is backpressure. */
  write(text: string | Buffer): Promise<void>;
  /** Syncs, renames to the final name, syncs the directory. */
  commit(): Promise<WrittenFile>;
  /** Removes what was written; the old file stays as it was. */
  discard(): Promise<void>;
}

export interface WrittenFile {
  /** Hex. */
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * Opens a replacement for the file at `target`, whose directory is created if missing. Links are followed: the file they name is
 * replaced, the link stays. The new file has the old one's mode, or that of the umask. Leftovers of killed processes are removed.
 * @throws DiskError if the disk or the permissions do not allow it; also from all its methods. UsageError if it is not a regular file
 */
export async function openAtomicFile(target: string): Promise<AtomicFile> {
  return onDiskLater(target, async () => {
    makeFolders(path.dirname(target));
    const finalPath = await followLink(target);
    const mode = await readMode(finalPath);
    await removeLeftovers(finalPath);
    const temporaryPath = makeTemporaryPath(finalPath, process.pid);
    const handle = await open(temporaryPath, 'wx', 0o666);
    if (mode !== null) await handle.chmod(mode);
    return createAtomicFile({ target, finalPath, temporaryPath, handle });
  });
}

interface Opened {
  readonly target: string;
  readonly finalPath: string;
  readonly temporaryPath: string;
  readonly handle: FileHandle;
}

const encoder = new TextEncoder();
/** Handed to the system together: a write costs as much as encoding some ten kilobytes. */
const HELD_BYTES = 1 << 18;

function createAtomicFile({ target, finalPath, temporaryPath, handle }: Opened): AtomicFile {
  const digest = createHash('sha256');
  let bytes = 0;
  let isOpen = true;
  /** Encoding into existing memory takes half the time. */
  let memory: Buffer | null = null;
  let held = 0;
  let written: Promise<void> = Promise.resolve();
  const append = async (chunk: Buffer): Promise<void> => {
    digest.update(chunk);
    bytes += chunk.length;
    await handle.appendFile(chunk);
  };
  const flush = async (): Promise<void> => {
    if (memory === null || held === 0) return;
    const chunk = memory.subarray(0, held);
    held = 0;
    await append(chunk);
  };
  const write = async (text: string | Buffer): Promise<void> => {
    if (typeof text !== 'string') {
      await flush();
      return append(text);
    }
    memory ??= Buffer.allocUnsafeSlow(HELD_BYTES * 2);
    for (let at = 0; at < text.length; ) {
      const { read, written } = encoder.encodeInto(at === 0 ? text : text.slice(at), memory.subarray(held));
      at += read;
      held += written;
      if (held >= HELD_BYTES) await flush();
    }
  };
  const close = async () => {
    if (isOpen) await handle.close();
    isOpen = false;
  };
  return {
    write(text) {
      // One after the other: what is held is still being written.
      written = written.then(() => onDiskLater(target, () => write(text)));
      return written;
    },
    commit: () =>
      onDiskLater(target, async () => {
        await written;
        await flush();
        await handle.sync();
        await close();
        await rename(temporaryPath, finalPath);
        await syncDirectory(path.dirname(finalPath));
        return { sha256: digest.digest('hex'), bytes };
      }),
    discard: async () => {
      await close();
      await rm(temporaryPath, { force: true });
    },
  };
}

/** The file a path refers to: through links, also through one whose target does not exist yet. */
async function followLink(target: string): Promise<string> {
  try {
    return await realpath(target);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const link = await readlink(target).catch(() => null);
  return link === null ? target : path.resolve(path.dirname(target), link);
}

/** Permission bits of the file to be replaced, null if there is none. */
async function readMode(file: string): Promise<number | null> {
  const found = await stat(file).catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  if (found !== null && !found.isFile())
    throw new UsageError(`cannot write ${file}: it is not a regular file; name another one`, { code: 'output' });
  return found === null ? null : found.mode & 0o777;
}

/** Of constant length whatever the table's name, so that it is never too long for the file system; the process id tells live writers from dead ones. */
function makeTemporaryPath(finalPath: string, processId: number): string {
  return path.join(path.dirname(finalPath), `${temporaryPrefix(finalPath)}${processId}.tmp`);
}

function temporaryPrefix(finalPath: string): string {
  return `.rowmill-${hash('sha256', path.basename(finalPath), 'hex').slice(0, 12)}-`;
}

async function removeLeftovers(finalPath: string): Promise<void> {
  for (const file of await findLeftovers(finalPath)) await rm(file, { force: true });
}

/** Leftovers of killed processes. */
export async function findLeftovers(finalPath: string): Promise<readonly string[]> {
  const directory = path.dirname(finalPath);
  const prefix = temporaryPrefix(finalPath);
  const names = (await readdir(directory)).filter((name) => name.startsWith(prefix) && name.endsWith('.tmp'));
  const isLeft = (processId: number) => processId === process.pid || !isAlive(processId);
  return names.filter((name) => isLeft(Number(name.slice(prefix.length, -'.tmp'.length)))).map((name) => path.join(directory, name));
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Makes the rename itself durable. Some file systems refuse to sync a directory; there the rename is as durable as they make it. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r').catch(() => null);
  if (handle === null) return;
  try {
    await handle.sync();
  } catch (error) {
    if (!['EINVAL', 'EPERM', 'ENOTSUP', 'EBADF'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    await handle.close();
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
