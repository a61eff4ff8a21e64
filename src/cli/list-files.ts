import { type Dirent, readdirSync } from 'node:fs';

/**
 * Files of this pattern, and folders, whose path begins as it was typed; folders end with a slash, and one that stands alone is looked into,
 * because shells put a blank behind what is the only one. Hidden ones only where a dot was typed.
 */
export function listFiles(typed: string, pattern: RegExp): readonly string[] {
  const found = listFolder(typed, pattern);
  const [only] = found;
  return found.length === 1 && only?.endsWith('/') === true ? [only, ...listFolder(only, pattern)] : found;
}

function listFolder(typed: string, pattern: RegExp): readonly string[] {
  // As it was typed: `./` stays.
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

/** What cannot be read completes nothing. */
function readFolder(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder === '' ? '.' : folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
