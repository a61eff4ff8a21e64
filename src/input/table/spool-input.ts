import fs from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { onDiskLater } from '../../core/disk/disk-error.ts';
import { UsageError } from '../../core/errors.ts';
import type { TableFile } from './read-bytes.ts';

/** Where standard input comes from and where it is kept, so that it can be read several times. */
export interface Spool {
  /** Null reads what an earlier run kept. */
  readonly stdin: Readable | null;
  readonly spoolPath: string | null;
  /** Its name in messages. */
  readonly shown: string;
}

/**
 * Copies standard input into a separate file (mode 0600; complete or not at all) and returns that file.
 * @throws UsageError if there is nothing to read, or nowhere to keep it
 */
export async function spoolInput({ stdin, spoolPath, shown }: Spool, signal: AbortSignal): Promise<TableFile> {
  const file = { path: spoolPath ?? '', shown };
  if (spoolPath === null) throw new UsageError(`a table on ${shown} cannot be used here; name a file`, { code: 'table' });
  if (stdin !== null) {
    const partPath = `${spoolPath}.part`;
    await onDiskLater(spoolPath, async () => {
      await pipeline(stdin, fs.createWriteStream(partPath, { mode: 0o600 }), { signal });
      await fs.promises.rename(partPath, spoolPath);
    });
  }
  const status = await fs.promises.stat(spoolPath).catch(() => null);
  if (status === null) throw new UsageError(`no table was kept from ${shown}; pipe it in again`, { code: 'table' });
  if (status.size === 0) throw new UsageError(`${shown}: is empty`, { code: 'table' });
  return file;
}
