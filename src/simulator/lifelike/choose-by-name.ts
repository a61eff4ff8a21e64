/** How many field names are cached: a job has few. */
const MOST_NAMES = 500;

/** Chooses by the first pattern that matches a name; undefined if none does. The result is cached, since all rows of a job ask the same. */
export function createChooser<T>(table: readonly (readonly [RegExp, T])[]): (name: string) => T | undefined {
  const chosen = new Map<string, T | undefined>();
  return (name) => {
    if (chosen.has(name)) return chosen.get(name);
    const found = table.find(([pattern]) => pattern.test(name))?.[1];
    if (chosen.size >= MOST_NAMES) chosen.clear();
    chosen.set(name, found);
    return found;
  };
}
