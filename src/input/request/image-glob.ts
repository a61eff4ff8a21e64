import fs from 'node:fs';
import path from 'node:path';
import { ImageProblem } from './image-url.ts';

/**
 * The files a path stands for: itself, or where its last name has `*` or `?` those of the folder that match, in the order of their names.
 * @throws ImageProblem where none does
 */
export function listMatches(value: string, root: string): readonly string[] {
  const name = path.basename(value);
  if (/^[a-z][a-z0-9+.-]*:/i.test(value) || !/[*?]/.test(name) || fs.existsSync(path.resolve(root, value))) return [value];
  const folder = path.dirname(value);
  const pattern = new RegExp(
    `^${name
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    's',
  );
  const names = listNames(path.resolve(root, folder)).filter((found) => pattern.test(found) && !found.startsWith('.'));
  if (names.length === 0) throw new ImageProblem('unrenderable', `no file matches ${JSON.stringify(value.slice(0, 80))}`);
  return names.toSorted().map((found) => path.join(folder, found));
}

function listNames(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}
