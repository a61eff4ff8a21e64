import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { UsageError } from '../errors.ts';

/** Creates a folder in the system's temporary directory. @returns its real path @throws UsageError if none can be created there */
export function makeTemporaryFolder(prefix: string): string {
  try {
    return fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), prefix)));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`cannot create a folder in ${os.tmpdir()} (${code}); set TMPDIR to a writable folder`, { cause: error });
  }
}
