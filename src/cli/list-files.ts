import { type Dirent, readdirSync } from 'node:fs';

/**
 * Files that match this pattern, and folders, whose path starts as typed; folders end with a slash, and a single folder is listed itself,
 * because shells add a blank after a single match. Hidden files only if a dot was typed.
 */
export function listFiles(typed: string, pattern: RegExp): readonly string[] {
  const found = listFolder(typed, pattern);
  const [only] = found;
  return found.length === 1 && only?.endsWith('/') === true ? [only, ...listFolder(only, pattern)] : found;
}

function listFolder(typed: string, pattern: RegExp): readonly string[] {
  // As typed: `./` stays.
  const folder = typed.slice(0, typed.lastIndexOf('/') + 1);
  const start = typed.slice(folder.length);
  return readFolder(folder)
    .filter(({ name }) => name.startsWith(start) && (start !== '' || !name.startsWith('.')))
    .flatMap((entry) => {
      const path = `${folder}${entry.name}`;
      if (entry.isDirectory()) return [`${path}/`];
      return pattern.test(entry.name) ? [path] : [];
    })
    .toSorted();
}

/** A folder that cannot be read completes nothing. */
function readFolder(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder === '' ? '.' : folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
