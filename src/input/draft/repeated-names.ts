import { isNameless, nameByPlace } from '../table/csv-header.ts';

/** New names for the columns of a header in which a name occurs more than once: `text`, `text_2`; null if none does. */
export function renameRepeated(header: readonly string[]): readonly string[] | null {
  const names: string[] = [];
  const named = header.filter((name) => !isNameless(name));
  if (new Set(named).size === named.length) return null;
  const isTaken = (name: string) => names.includes(name) || header.includes(name);
  for (const [index, name] of header.entries()) {
    if (isNameless(name)) names.push(nameByPlace(index));
    else if (!names.includes(name)) names.push(name);
    else {
      let number = 2;
      while (isTaken(`${name}_${number}`)) number += 1;
      names.push(`${name}_${number}`);
    }
  }
  return names;
}
