import fs from 'node:fs';
import { onDisk } from '../../core/disk/disk-error.ts';
import { makeTemporaryPath, openPrivateFile, publishFile, readPrivateText, removeQuietly, writeFully } from './durable-files.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** The content of the file `lock`, and of each claim to it. */
export interface Holder extends ProcessIdentity {
  /** By the holder's own clock, for people. Whether it is alive is judged by whether the file changes. */
  readonly heartbeatAt: string;
  /** Identifies this particular acquisition of the lock. */
  readonly token: string;
  /** Counts the heartbeats, always with the same number of digits, so that each changes the file but not its length; absent in early versions. */
  readonly beat?: string;
}

/** A holder as described in its file, and the text of the file. */
export interface FoundHolder {
  readonly file: string;
  readonly holder: Holder;
  readonly content: string;
}

/** Many times the length of such a file. */
const MAX_BYTES = 1 << 16;
const TOKEN = /^[A-Za-z0-9_-]{1,64}$/;
const DAMAGED: Holder = { pid: 0, host: 'unknown', startTime: null, heartbeatAt: '', token: 'damaged' };

/** Who holds the lock or made the claim; null if there is no such file. A damaged file may be one that is being written, and is watched. */
export function readHolder(file: string): FoundHolder | null {
  const content = readPrivateText(file, MAX_BYTES);
  return content === null ? null : { file, holder: parseHolder(content) ?? DAMAGED, content };
}

/** Whether the file did not say who holds it. */
export function isDamaged({ pid }: Holder): boolean {
  return pid === DAMAGED.pid;
}

function parseHolder(content: string): Holder | null {
  try {
    const holder = JSON.parse(content) as Holder;
    if (Number.isSafeInteger(holder.pid) && holder.pid > 0 && TOKEN.test(holder.token) && typeof holder.host === 'string') return holder;
  } catch {}
  return null;
}

/** The text of the file: of the same length for each heartbeat, so that it can be overwritten in place. */
export function formatHolder(holder: Holder): Buffer {
  return Buffer.from(`${JSON.stringify(holder)}\n`);
}

const { O_RDWR, O_CREAT, O_EXCL } = fs.constants;

/**
 * Creates a file with its content in one step, so that nobody reads it half written.
 * @returns its descriptor, open for heartbeats; null if the file exists
 */
export function putNewFile(file: string, holder: Holder, token: string): number | null {
  const { descriptor, temporaryPath } = writeBeside(file, holder, token);
  try {
    fs.linkSync(temporaryPath, file);
    return descriptor;
  } catch (error) {
    fs.closeSync(descriptor);
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null;
    return putNewFileWithoutLink(file, holder);
  } finally {
    removeQuietly(temporaryPath);
  }
}

/** Replaces another file, durably. @returns its descriptor */
export function replaceFile(file: string, holder: Holder, token: string): number {
  const { descriptor, temporaryPath } = writeBeside(file, holder, token);
  try {
    onDisk(file, () => fs.fsyncSync(descriptor));
    publishFile(temporaryPath, file);
    return descriptor;
  } catch (error) {
    fs.closeSync(descriptor);
    throw error;
  }
}

function writeBeside(file: string, holder: Holder, token: string): { readonly descriptor: number; readonly temporaryPath: string } {
  const temporaryPath = makeTemporaryPath(file, token);
  const descriptor = onDisk(file, () => openPrivateFile(temporaryPath, O_RDWR | O_CREAT | O_EXCL));
  writeHolder(file, descriptor, holder);
  return { descriptor, temporaryPath };
}

/** For file systems without hard links (exFAT, some network shares): name and content are created in two steps. */
function putNewFileWithoutLink(file: string, holder: Holder): number | null {
  try {
    const descriptor = openPrivateFile(file, O_RDWR | O_CREAT | O_EXCL);
    writeHolder(file, descriptor, holder);
    return descriptor;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null;
    throw error;
  }
}

function writeHolder(file: string, descriptor: number, holder: Holder): void {
  try {
    onDisk(file, () => writeFully(descriptor, formatHolder(holder), 0));
  } catch (error) {
    fs.closeSync(descriptor);
    throw error;
  }
}
