import type { JobDifference } from '../../core/quality.ts';

type Spec = Readonly<Record<string, unknown>>;

/** The differences between two job files, key by key, as the lines that only one of them has. Moved lines are not differences. */
export function findJobDifferences(a: Spec, b: Spec): readonly JobDifference[] {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].flatMap((key) => {
    if (JSON.stringify(a[key]) === JSON.stringify(b[key])) return [];
    const [inA, inB] = [listLines(a[key]), listLines(b[key])];
    return [{ key, onlyInA: leaveOut(inA, inB), onlyInB: leaveOut(inB, inA) }];
  });
}

/** The lines of a value as a person would write it; a text of several lines is shown as such. */
function listLines(value: unknown, path = ''): readonly string[] {
  if (value === undefined || value === null) return [];
  const name = path === '' ? '' : `${path}: `;
  if (typeof value === 'string' && value.trimEnd().includes('\n'))
    return value.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
  if (typeof value !== 'object') return [`${name}${String(value).trim()}`];
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) return [`${name}${value.join(', ')}`];
  return Object.entries(value).flatMap(([key, item]) => listLines(item, path === '' ? key : `${path}.${key}`));
}

/** The lines, minus as many of each as the other list has. */
function leaveOut(lines: readonly string[], others: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const line of others) counts.set(line, (counts.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const count = counts.get(line) ?? 0;
    counts.set(line, count - 1);
    return count <= 0;
  });
}
