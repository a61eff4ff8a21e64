import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { openAtomicFile } from './atomic-file.ts';

const CHUNK_CHARACTERS = 1 << 18;

/**
 * Finds out whether the disk a table goes to has room for it, by writing so much beside it and removing it again. Folders that are still to be made
 * are not made for that.
 * @throws DiskError where it has not
 */
export async function probeRoom(target: string, bytes: number): Promise<void> {
  let folder = path.dirname(path.resolve(target));
  while (!existsSync(folder)) folder = path.dirname(folder);
  const file = await openAtomicFile(path.join(folder, path.basename(target)));
  try {
    // Hexadecimal dice: what a disk packs to half at best.
    const chunk = randomBytes(CHUNK_CHARACTERS / 2).toString('hex');
    for (let left = bytes; left > 0; left -= chunk.length) await file.write(left < chunk.length ? chunk.slice(0, left) : chunk);
  } finally {
    await file.discard();
  }
}
