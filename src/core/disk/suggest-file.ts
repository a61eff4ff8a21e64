import { readdirSync } from 'node:fs';
import path from 'node:path';
import { findClosest } from '../wording/suggest.ts';

/** More names than this are not listed. */
const MAX_LISTED = 5;

/**
 * What to append to the message that a file does not exist: the name in its folder that was probably meant; otherwise, for files of one kind,
 * whose extension may be omitted, the existing ones. Empty if there are none.
 * @param isOfKind whether a name is of the kind; absent: any file, directories included
 */
export function suggestFile(file: string, isOfKind: ((name: string) => boolean) | null = null): string {
  const names = listNames(path.dirname(path.resolve(file))).filter((name) => isOfKind?.(name) ?? true);
  const wordOf = (name: string) => (isOfKind === null ? name : path.parse(name).name);
  const closest = findClosest(isOfKind?.(file) === false ? path.basename(file) : wordOf(path.basename(file)), names.map(wordOf));
  const meant = names.find((name) => wordOf(name) === closest);
  if (meant !== undefined) return `. Did you mean "${meant}"?`;
  if (isOfKind === null || names.length === 0) return '';
  return `; its folder has ${names.slice(0, MAX_LISTED).join(', ')}${names.length > MAX_LISTED ? ', …' : ''}`;
}

function listNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return [];
  }
}
