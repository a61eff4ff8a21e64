import type { Path } from '../../core/problem-path.ts';

export type Schema = Readonly<Record<string, unknown>>;

/** One schema within a schema. */
export interface SchemaNode {
  /** A map, unless the author wrote something else in place of a schema. */
  readonly schema: unknown;
  readonly path: Path;
  /** How many objects and lists it is nested in, including itself: 1 for the root. Definitions count from where they are written. */
  readonly level: number;
}

/** The maximum in strict mode (structured outputs guide, seen 2026-11-21). */
export const MAX_LEVELS = 10;

/** Every schema within a schema of strict mode, outer ones first, down to the first that is nested too deep. */
export function* walkSchema(schema: unknown, path: Path = [], level = 1): Generator<SchemaNode> {
  yield { schema, path, level };
  if (!isMap(schema) || level > MAX_LEVELS) return;
  yield* walkNamed(schema, 'properties', path, level + 1);
  yield* walkNamed(schema, '$defs', path, level);
  yield* walkNamed(schema, 'definitions', path, level);
  if (Object.hasOwn(schema, 'items')) yield* walkSchema(schema.items, [...path, 'items'], level + 1);
  const branches: readonly unknown[] = Array.isArray(schema.anyOf) ? schema.anyOf : [];
  for (const [index, branch] of branches.entries()) yield* walkSchema(branch, [...path, 'anyOf', index], level);
}

function* walkNamed(schema: Schema, key: string, path: Path, level: number): Generator<SchemaNode> {
  const named = schema[key];
  if (!isMap(named)) return;
  for (const [name, inner] of Object.entries(named)) yield* walkSchema(inner, [...path, key, name], level);
}

export function isMap(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
