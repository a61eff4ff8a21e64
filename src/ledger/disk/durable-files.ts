import fs from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { asDiskError, onDisk } from '../../core/disk/disk-error.ts';
import { makeFolders } from '../../core/disk/make-folders.ts';
import { LedgerError } from '../../core/errors.ts';

/** Everything in a state directory is accessible only to its owner, whatever the umask is. */
const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;

// If a FIFO is in a file's place, opening it must not wait for a writer.
const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants;

/** Creates a directory (and its parents) only its owner can enter; an existing one is closed to others. */
export function makePrivateDirectory(directory: string): void {
  makeFolders(directory, DIRECTORY_MODE);
  fs.chmodSync(directory, DIRECTORY_MODE);
}

/**
 * Opens a file only its owner can read, without following a symbolic link at its name.
 * @param flags numeric flags as in `fs.constants`
 */
export function openPrivateFile(file: string, flags: number): number {
  const descriptor = openFile(file, flags);
  try {
    fs.fchmodSync(descriptor, FILE_MODE);
  } catch (error) {
    fs.closeSync(descriptor);
    throw asDiskError(error, file);
  }
  return descriptor;
}

/** Opens a file for reading, without following a symbolic link at its name. */
export function openForReading(file: string): number {
  return openFile(file, O_RDONLY);
}

/** What opening something other than a file fails with: a link, a folder, a FIFO without a reader. */
const NO_FILE = new Set(['ELOOP', 'EMLINK', 'EISDIR', 'ENXIO']);

function openFile(file: string, flags: number): number {
  let descriptor: number;
  try {
    descriptor = fs.openSync(file, flags | O_NOFOLLOW | O_NONBLOCK, FILE_MODE);
  } catch (error) {
    throw NO_FILE.has((error as NodeJS.ErrnoException).code ?? '') ? refuseNoFile(file, error) : error;
  }
  if (fs.fstatSync(descriptor).isFile()) return descriptor;
  fs.closeSync(descriptor);
  throw refuseNoFile(file);
}

/** The text of a file of at most `maxBytes`, by the same rules; null if there is none. @throws LedgerError for a larger one */
export function readPrivateText(file: string, maxBytes: number): string | null {
  let descriptor: number;
  try {
    descriptor = openForReading(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    const { size } = fs.fstatSync(descriptor);
    if (size > maxBytes) throw new LedgerError(`it has ${size} bytes, far too many for such a file`, { file, line: 0 });
    return onDisk(file, () => readBytesAt(descriptor, { offsetBytes: 0, lengthBytes: size })).toString('utf8');
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Opens a file to be read in pieces, by the same rules. */
export async function openHandleForReading(file: string): Promise<FileHandle> {
  const handle = await open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    throw NO_FILE.has(error.code ?? '') ? refuseNoFile(file, error) : error;
  });
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw refuseNoFile(file);
}

/** The message for something else in the place of a file. */
export function refuseNoFile(file: string, cause?: unknown): LedgerError {
  const found = fs.lstatSync(file, { throwIfNoEntry: false });
  const kind = found?.isSymbolicLink() ? 'a link' : found?.isDirectory() ? 'a folder' : found?.isFIFO() ? 'a FIFO' : 'a device or socket';
  return new LedgerError(
    `${kind} is in the place of a file; move it away, or restore the file from a backup`,
    { file, line: 0 },
    { cause },
  );
}

/** Writes all bytes at a position: one system call may write fewer. */
export function writeFully(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) done += fs.writeSync(descriptor, bytes, done, bytes.length - done, position + done);
}

/** Reads bytes at a position; fewer only at the end of the file. */
export function readBytesAt(descriptor: number, place: { readonly offsetBytes: number; readonly lengthBytes: number }): Buffer {
  const bytes = Buffer.allocUnsafe(place.lengthBytes);
  return bytes.subarray(0, readInto(bytes, descriptor, place.offsetBytes));
}

/** Fills memory from a position on. @returns how much was read: less only at the end of the file */
export function readInto(memory: Buffer, descriptor: number, position: number): number {
  let filled = 0;
  while (filled < memory.length) {
    const read = fs.readSync(descriptor, memory, filled, memory.length - filled, position + filled);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}

/** Makes the names in a directory durable: a rename is on disk only after this. */
export function syncDirectory(directory: string): void {
  // Windows cannot open a directory, and needs no such call.
  if (process.platform === 'win32') return;
  const descriptor = fs.openSync(directory, O_RDONLY);
  try {
    onDisk(directory, () => fs.fsyncSync(descriptor));
  } finally {
    fs.closeSync(descriptor);
  }
}

/**
 * Whether an open file is still the one its name refers to. The name is opened, not only stat-ed: network file systems answer a stat from their cache
 * for a minute, while opening asks the server.
 * @throws the system's error if this process has no descriptor left
 */
export function isFileAt(file: string, descriptor: number): boolean {
  let current: number;
  try {
    current = openForReading(file);
  } catch (error) {
    // Without descriptors nothing is known about the name.
    if (NO_DESCRIPTORS.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return false;
  }
  try {
    return isSameFile(fs.fstatSync(current, { bigint: true }), descriptor);
  } finally {
    fs.closeSync(current);
  }
}

const NO_DESCRIPTORS = new Set(['EMFILE', 'ENFILE']);

/** The same by a stat of the name. */
export function isFileNamed(file: string, descriptor: number): boolean {
  const found = fs.lstatSync(file, { bigint: true, throwIfNoEntry: false });
  return found !== undefined && isSameFile(found, descriptor);
}

function isSameFile(there: fs.BigIntStats, descriptor: number): boolean {
  const ours = fs.fstatSync(descriptor, { bigint: true });
  return there.ino === ours.ino && there.dev === ours.dev;
}

/** Replaces a file by a copy of itself, durably: another process that has it open then has a file without a name. Does nothing if there is none. */
export function replaceByCopy(file: string, token: string): void {
  // Anything that is not a file is reported when it is opened.
  if (!fs.lstatSync(file, { throwIfNoEntry: false })?.isFile()) return;
  const temporaryPath = makeTemporaryPath(file, token);
  fs.copyFileSync(file, temporaryPath, fs.constants.COPYFILE_EXCL);
  const descriptor = openPrivateFile(temporaryPath, fs.constants.O_RDWR);
  try {
    onDisk(file, () => fs.fsyncSync(descriptor));
  } finally {
    fs.closeSync(descriptor);
  }
  publishFile(temporaryPath, file);
}

/** Gives a finished, synced file its final name, durably. */
export function publishFile(temporaryPath: string, finalPath: string): void {
  fs.renameSync(temporaryPath, finalPath);
  syncDirectory(path.dirname(finalPath));
}

/** Names of files being written; what a crash leaves of them is removed at the next opening. */
export const TEMPORARY_PREFIX = '.tmp-';

/** A temporary name next to `file`. */
export function makeTemporaryPath(file: string, token: string): string {
  return path.join(path.dirname(file), `${TEMPORARY_PREFIX}${token}-${path.basename(file)}`);
}

/** Writes a whole file: a reader sees the old one or the new one, never a part, even after a power cut. */
export function writeFileAtomically(file: string, data: string | Uint8Array, token: string): void {
  const temporaryPath = makeTemporaryPath(file, token);
  const { O_WRONLY, O_CREAT, O_EXCL } = fs.constants;
  const descriptor = onDisk(file, () => openPrivateFile(temporaryPath, O_WRONLY | O_CREAT | O_EXCL));
  try {
    onDisk(file, () => {
      writeFully(descriptor, typeof data === 'string' ? Buffer.from(data) : data, 0);
      fs.fsyncSync(descriptor);
    });
  } catch (error) {
    removeQuietly(temporaryPath);
    throw error;
  } finally {
    fs.closeSync(descriptor);
  }
  publishFile(temporaryPath, file);
}

/** Removes what is no longer needed: if that fails, an earlier error is what has to be reported, and the next opening removes it. */
export function removeQuietly(file: string): void {
  try {
    fs.rmSync(file, { force: true });
  } catch {}
}

/** Names in a directory, sorted; none if it does not exist. */
export function listNames(directory: string): readonly string[] {
  try {
    return fs.readdirSync(directory).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Removes what interrupted writes left in a directory. */
export function removeTemporaryFiles(directory: string): void {
  for (const name of listNames(directory)) {
    if (name.startsWith(TEMPORARY_PREFIX)) fs.rmSync(path.join(directory, name), { force: true });
  }
}
