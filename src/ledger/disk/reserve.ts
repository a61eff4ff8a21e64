import { randomFillSync } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { onDisk } from '../../core/disk/disk-error.ts';
import { openPrivateFile, removeQuietly, writeFully } from './durable-files.ts';

/**
 * Disk space reserved for what is about to be paid for: a file of meaningless bytes. It is written before the effect, so that a full
 * disk is noticed while nothing is spent, and removed if the disk fills up meanwhile, so that answers can be written.
 */
export interface DiskReserve {
  /** Makes it at least this large. @throws DiskError if the disk has no such space */
  ensure(bytes: number): void;
  /** Releases the space. @returns whether there was any */
  release(): boolean;
}

/** It grows in steps, so that most effects find it large enough. */
const STEP_BYTES = 1 << 18;

export const RESERVE_FILE = 'reserve';

/** What a killed process left of one is taken over. */
export function createDiskReserve(directory: string): DiskReserve {
  const file = path.join(directory, RESERVE_FILE);
  let bytes = 0;

  function grow(wantedBytes: number): void {
    const descriptor = openPrivateFile(file, fs.constants.O_WRONLY | fs.constants.O_CREAT);
    try {
      bytes = fs.fstatSync(descriptor).size;
      // Incompressible bytes: some disks store nothing for a file of zeros.
      const random = randomFillSync(Buffer.allocUnsafe(STEP_BYTES));
      for (; bytes < wantedBytes; bytes += STEP_BYTES) writeFully(descriptor, random, bytes);
    } finally {
      fs.closeSync(descriptor);
    }
  }

  return {
    ensure(wantedBytes) {
      if (bytes < wantedBytes)
        onDisk(
          file,
          () => grow(wantedBytes),
          () => describeRoom(file, wantedBytes),
        );
    },
    release() {
      const hadRoom = bytes > 0;
      bytes = 0;
      removeQuietly(file);
      return hadRoom;
    },
  };
}

/** What is free includes what the file itself has got of it so far. */
function describeRoom(file: string, wantedBytes: number): string {
  const wanted = `${showMegabytes(wantedBytes)} wanted for answers in flight`;
  try {
    const { bavail, bsize } = fs.statfsSync(path.dirname(file));
    const freeBytes = bavail * bsize + (fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0);
    return `${showMegabytes(freeBytes)} free, ${wanted}`;
  } catch {
    return wanted;
  }
}

function showMegabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Whether free space helps against an error. */
export function isOutOfRoom(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '');
}
