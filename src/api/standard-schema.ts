import { UsageError } from '../core/errors.ts';
import type { Checked } from '../core/outcome.ts';
import { isThenable } from './thenable.ts';

/**
 * The `~standard` property of a validation library, as specified on standardschema.dev (version 1, seen 2026-11-22): zod, valibot, arktype and
 * others have it. Only what is used here is declared.
 */
export interface StandardSchema<Value = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Value> | PromiseLike<StandardResult<Value>>;
    /** Carries the type returned by `validate`; never present at run time. */
    readonly types?: { readonly input: unknown; readonly output: Value } | undefined;
    /** JSON Schemas of the same, if the library provides them. It throws for what JSON Schema cannot express. */
    readonly jsonSchema?: { readonly input: (options: { readonly target: 'draft-2020-12' }) => JsonSchema } | undefined;
  };
}

export type JsonSchema = Readonly<Record<string, unknown>>;

export type StandardResult<Value> = { readonly value: Value; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Some libraries use functions that carry the property. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  return (typeof value === 'object' || typeof value === 'function') && value !== null && '~standard' in value;
}

/** @throws UsageError for something that looks like such a schema, but cannot be used */
export function requireStandard({ '~standard': standard }: StandardSchema): void {
  const { version, validate } = (standard ?? {}) as Partial<StandardSchema['~standard']>;
  if (version !== 1 || typeof validate !== 'function') throw refuse('"~standard" is not a schema of version 1 with a function validate');
}

/** The JSON Schema of an answer before the library has changed anything; null if the library provides none. */
export function readJsonSchema(schema: StandardSchema): JsonSchema | null {
  try {
    return schema['~standard'].jsonSchema?.input({ target: 'draft-2020-12' }) ?? null;
  } catch {
    return null;
  }
}

/** The message for a check that returns a promise, which nobody will await. */
function refuseLater(result: PromiseLike<unknown>): UsageError {
  // Its rejection must not end the process.
  result.then(undefined, () => {});
  return refuse(
    'the schema checks asynchronously; an answer is checked while it is read, so the check must be synchronous. Leave the asynchronous part out, and do it over run.results()',
  );
}

/**
 * The library's verdict on an answer.
 * @throws UsageError if it validates asynchronously, returns an invalid result, or a value no table can hold; whatever it throws itself
 */
export function validate(schema: StandardSchema, value: unknown): StandardResult<unknown> {
  const result: unknown = schema['~standard'].validate(value);
  if (isThenable(result)) throw refuseLater(result);
  const { issues } = (typeof result === 'object' && result !== null ? result : { issues: null }) as { readonly issues?: unknown };
  if (issues !== undefined && !Array.isArray(issues))
    throw refuse('validate() of the schema gave neither { value } nor { issues: [ … ] }, as Standard Schema has it');
  if (issues === undefined) requireWritable((result as { readonly value?: unknown }).value);
  return result as StandardResult<unknown>;
}

function requireWritable(value: unknown): void {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    text = undefined;
  }
  if (text === undefined && value !== undefined)
    throw refuse('the schema makes a value of the answer that no table can hold, as a bigint, or what refers to itself; make it a text');
}

export function compileStandardCheck(schema: StandardSchema): (value: unknown) => Checked {
  return (value) => {
    const result = validate(schema, value);
    if (result.issues === undefined) return { ok: true, value: result.value };
    return { ok: false, message: result.issues.map(describeIssue).join('; ') || 'the answer does not fit the schema' };
  };
}

function refuse(what: string): UsageError {
  return new UsageError(`output: ${what}`, { code: 'job' });
}

function describeIssue({ message, path = [] }: StandardIssue): string {
  const steps = path.map((step) => String(typeof step === 'object' ? step.key : step));
  return steps.length === 0 ? message : `${steps.join('.')}: ${message}`;
}
