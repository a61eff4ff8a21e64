import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { UsageError } from '../errors.ts';

/** Makes a new folder in the system's temporary directory. @returns its real path @throws UsageError where none can be made there */
export function makeTemporaryFolder(prefix: string): string {
  try {
    return fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), prefix)));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`no folder can be made in ${os.tmpdir()} (${code}); set TMPDIR to a folder that can be written`, { cause: error });
  }
}
