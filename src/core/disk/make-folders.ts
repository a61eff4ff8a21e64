import fs from 'node:fs';
import path from 'node:path';

const MAX_TRIES = 3;

/**
 * Creates a folder and its parents, one by one: the recursive call of Node 20 reports ENOENT if the disk is read-only, failing or full
 * (seen 2026-11-29).
 * @throws the system's error for the first one that cannot be created
 */
export function makeFolders(folder: string, mode = 0o777): void {
  const parent = path.dirname(folder);
  for (let tries = 1; ; tries++) {
    const error = tryToMake(folder, mode);
    if (error === null) return;
    // Another process may create the same folders, or remove empty ones, at the same time.
    if (error.code !== 'ENOENT' || parent === folder || tries === MAX_TRIES) throw error;
    if (!isFolder(parent)) makeFolders(parent, mode);
  }
}

function tryToMake(folder: string, mode: number): NodeJS.ErrnoException | null {
  try {
    fs.mkdirSync(folder, { mode });
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return (code === 'EEXIST' || code === 'EISDIR') && isFolder(folder) ? null : (error as NodeJS.ErrnoException);
  }
}

function isFolder(file: string): boolean {
  try {
    return fs.statSync(file).isDirectory();
  } catch {
    return false;
  }
}
