import type { OutputSpec } from '../../core/job.ts';

/** The one field of an answer with a closed set of values, single or in a list; null if there is none, or more than one. */
export function findLabelField(output: OutputSpec): string | null {
  if (output.type === 'text') return null;
  const properties = mapOf(mapOf(output.schema).properties);
  const closed = output.columns.filter((name) => isClosed(mapOf(properties[name])) || isClosed(mapOf(mapOf(properties[name]).items)));
  return closed.length === 1 ? (closed[0] ?? null) : null;
}

function isClosed(schema: Readonly<Record<string, unknown>>): boolean {
  return Array.isArray(schema.enum);
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
