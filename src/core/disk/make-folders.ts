import fs from 'node:fs';
import path from 'node:path';

/**
 * Makes a folder and those it lies in, one by one: the recursive call of Node 20 says ENOENT where the disk is read-only, failing or without room
 * for the name (seen 2026-11-29).
 * @throws the system's error for the first one that cannot be made
 */
export function makeFolders(folder: string, mode = 0o777): void {
  try {
    fs.mkdirSync(folder, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if ((code === 'EEXIST' || code === 'EISDIR') && isFolder(folder)) return;
    const parent = path.dirname(folder);
    if (code !== 'ENOENT' || isFolder(parent) || parent === folder) throw error;
    makeFolders(parent, mode);
    makeFolders(folder, mode);
  }
}

function isFolder(file: string): boolean {
  try {
    return fs.statSync(file).isDirectory();
  } catch {
    return false;
  }
}
