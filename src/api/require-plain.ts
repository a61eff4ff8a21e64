import { type Path, showPath, showValue } from '../core/problem-path.ts';

/**
 * Why a part of a definition cannot be stored as JSON, in words: circular references, and values JSON cannot express. Whether it is a valid value of its key
 * is checked elsewhere.
 */
export function findUnwritable(value: unknown, path: Path, above: readonly object[] = []): string | null {
  if (typeof value === 'bigint' || typeof value === 'symbol')
    return `${showPath(path)}: must be what JSON can hold, not ${showValue(value)}`;
  if (typeof value !== 'object' || value === null) return null;
  if (above.includes(value)) return `${showPath(path)}: refers to itself, so it cannot be sent`;
  const within = [...above, value];
  for (const [key, part] of Object.entries(value)) {
    const found = findUnwritable(part, [...path, Array.isArray(value) ? Number(key) : key], within);
    if (found !== null) return found;
  }
  return null;
}
