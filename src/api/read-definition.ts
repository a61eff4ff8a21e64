import { UsageError } from '../core/errors.ts';
import { showValue } from '../core/problem-path.ts';
import { findUnwritable } from './require-plain.ts';
import { createRowSource, type RowSource } from './row-source.ts';
import { isStandardSchema } from './standard-schema.ts';
import { isThenable } from './thenable.ts';

/** What a program wrote, without keys whose value is undefined. */
export interface WrittenDefinition {
  readonly directory?: string;
  readonly max_images?: number;
  readonly [key: string]: unknown;
}

/** More than any API accepts in a request. */
const MOST_IMAGES = 10_000;

/** @throws UsageError if it is not a map, or a key that job files do not have is wrong */
export function readDefinition(definition: unknown): WrittenDefinition {
  if (!isPlain(definition)) throw refuseDefinition('defineJob(): pass one object, with the keys of a job file');
  const { input, output, ...rest } = definition;
  for (const [key, value] of Object.entries({ ...rest, ...(isPlain(output) && !isStandardSchema(output) ? { output } : {}) })) {
    const unwritable = findUnwritable(value, [key]);
    if (unwritable !== null) throw refuseDefinition(unwritable);
  }
  // Rows and schemas are the program's own objects, and are passed through.
  const written = { ...(dropUndefined(rest) as WrittenDefinition), input, output: isPlain(output) ? dropUndefined(output) : output };
  const { directory, max_images: mostImages } = written;
  if (directory !== undefined && typeof directory !== 'string')
    throw refuseDefinition(`directory: must be text, not ${showValue(directory)}`);
  if (mostImages !== undefined && !(Number.isSafeInteger(mostImages) && mostImages >= 0 && mostImages <= MOST_IMAGES))
    throw refuseDefinition(`max_images: must be a whole number from 0 to ${MOST_IMAGES}, not ${showValue(mostImages)}`);
  return written;
}

/** `input` in the form of a job file, and the rows from the program. */
export function takeRows(input: unknown): { readonly input: unknown; readonly rows: RowSource | null } {
  if (!isPlain(input)) return { input, rows: null };
  const { rows, ...others } = input;
  const kept = dropUndefined(others) as Readonly<Record<string, unknown>>;
  if (rows === undefined) return { input: kept, rows: null };
  const beside = ['path', 'documents', 'format', 'delimiter', 'encoding', 'header', 'quote', 'skip_lines'].find(
    (key) => kept[key] !== undefined,
  );
  if (beside !== undefined) throw refuseDefinition(`input.${beside}: does not go with input.rows`);
  const { [Symbol.asyncIterator]: later, [Symbol.iterator]: now } = Object(rows) as Partial<AsyncIterable<unknown> & Iterable<unknown>>;
  if (typeof rows !== 'object' || (later === undefined && now === undefined))
    throw refuseDefinition(
      `input.rows: must be an array or other iterable of objects, not ${isThenable(rows) ? 'a promise; await it first' : showValue(rows)}`,
    );
  return { input: { ...kept, path: '-', format: 'jsonl' }, rows: createRowSource(rows as Iterable<unknown>) };
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** A key that is undefined counts as absent. */
function dropUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(dropUndefined);
  if (!isPlain(value)) return value;
  const kept = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return Object.fromEntries(kept.map(([key, entry]) => [key, dropUndefined(entry)]));
}

export function refuseDefinition(message: string): UsageError {
  return new UsageError(message, { code: 'job' });
}
