import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { DiskError, onDiskLater } from './disk-error.ts';
import { untilAborted } from './until-aborted.ts';

/**
 * The sha256 (hex) of a file, following links; null if there is none.
 * @throws DiskError if it cannot be read or is not a regular file: a FIFO or a device would be read forever
 */
export async function hashFile(file: string, signal: AbortSignal): Promise<string | null> {
  const digest = createHash('sha256');
  return onDiskLater(file, async () => {
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (handle === null) return null;
    try {
      if (!(await handle.stat()).isFile()) throw refuse(file);
      for await (const chunk of untilAborted(() => handle.createReadStream({ signal, autoClose: false }), signal))
        digest.update(chunk as Buffer);
    } finally {
      await handle.close();
    }
    return digest.digest('hex');
  });
}

function refuse(path: string): DiskError {
  const words = { failed: `cannot read ${path}`, reason: 'it is not a file', todo: 'move it away, then run the same command again' };
  return new DiskError(words, { errno: 'EISDIR', path, cause: undefined });
}
