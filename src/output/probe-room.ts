import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { openAtomicFile } from './atomic-file.ts';

const CHUNK_CHARACTERS = 1 << 18;

/**
 * Finds out whether the disk of a table has room for it, by writing that much next to it and removing it again. Missing folders are not
 * created for that.
 * @throws DiskError if it has not
 */
export async function probeRoom(target: string, bytes: number): Promise<void> {
  let folder = path.dirname(path.resolve(target));
  while (!existsSync(folder)) folder = path.dirname(folder);
  const file = await openAtomicFile(path.join(folder, path.basename(target)));
  try {
    // Random hexadecimal digits: a disk compresses them to half at best.
    const chunk = randomBytes(CHUNK_CHARACTERS / 2).toString('hex');
    for (let left = bytes; left > 0; left -= chunk.length) await file.write(left < chunk.length ? chunk.slice(0, left) : chunk);
  } finally {
    await file.discard();
  }
}
