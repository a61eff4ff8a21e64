import { UsageError } from '../core/errors.ts';
import type { Checked } from '../core/outcome.ts';
import { isThenable } from './thenable.ts';

/**
 * What a validation library offers under `~standard`, as standardschema.dev describes it (version 1, seen 2026-11-22): zod, valibot, arktype and
 * others have it. Only what is used here is named.
 */
export interface StandardSchema<Value = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Value> | PromiseLike<StandardResult<Value>>;
    /** Carries the type of what `validate` gives; never there at run time. */
    readonly types?: { readonly input: unknown; readonly output: Value } | undefined;
    /** JSON Schemas of the same, where the library makes them. It throws for what JSON Schema cannot say. */
    readonly jsonSchema?: { readonly input: (options: { readonly target: 'draft-2020-12' }) => JsonSchema } | undefined;
  };
}

export type JsonSchema = Readonly<Record<string, unknown>>;

export type StandardResult<Value> = { readonly value: Value; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Some libraries give functions that carry the property. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  return (typeof value === 'object' || typeof value === 'function') && value !== null && '~standard' in value;
}

/** The JSON Schema of what an answer must be before the library has changed anything; null where the library has none to give. */
export function readJsonSchema(schema: StandardSchema): JsonSchema | null {
  try {
    return schema['~standard'].jsonSchema?.input({ target: 'draft-2020-12' }) ?? null;
  } catch {
    return null;
  }
}

/** What to say of a check that gives a promise, which nobody will wait for. */
export function refuseLater(result: PromiseLike<unknown>): UsageError {
  // What it is rejected with is not to end the process.
  result.then(undefined, () => {});
  return new UsageError(
    'output: the schema checks asynchronously; an answer is checked while it is read, so the check must be synchronous. Leave the asynchronous part out, and do it over run.results()',
    { code: 'job' },
  );
}

/** The library's verdict on an answer. @throws UsageError when the schema checks asynchronously */
export function compileStandardCheck(schema: StandardSchema): (value: unknown) => Checked {
  return (value) => {
    const result = schema['~standard'].validate(value);
    if (isThenable(result)) throw refuseLater(result);
    if (result.issues === undefined) return { ok: true, value: result.value };
    return { ok: false, message: result.issues.map(describeIssue).join('; ') || 'the answer does not fit the schema' };
  };
}

function describeIssue({ message, path = [] }: StandardIssue): string {
  const steps = path.map((step) => String(typeof step === 'object' ? step.key : step));
  return steps.length === 0 ? message : `${steps.join('.')}: ${message}`;
}
