import type { Ajv2020, ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import { compilePattern, type LinearPattern } from './linear-pattern.ts';
import { loadAjv } from './load-ajv.ts';

const MAX_PATTERN_LENGTH = 500;

/** Knows the dialect of schemas. Creating it takes longer than compiling a schema, so there is only one. */
let metaAjv: Ajv2020 | null = null;
/** A job's schema is compiled when the job is read, and again for its answers. */
const compiled = new WeakMap<object, ValidateFunction>();

/** Checks a user's schema by the rules of its dialect, draft 2020-12. @throws Error if it breaks one; its message is fit for a person */
export function checkDialect({ $schema: _dialect, ...body }: Readonly<Record<string, unknown>>): void {
  metaAjv ??= new (loadAjv())({ logger: false });
  metaAjv.validateSchema(body, true);
}

/**
 * Compiles a schema (draft 2020-12) for answers: all errors, no coercion, no defaults, `format` is only an annotation, unknown keywords are an error.
 * @throws Error if it cannot be compiled; its message is fit for a person
 */
export function compileValidator(schema: Readonly<Record<string, unknown>>): ValidateFunction {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const validate = compile(schema);
  compiled.set(schema, validate);
  return validate;
}

function compile(schema: Readonly<Record<string, unknown>>): ValidateFunction {
  const { $schema: _dialect, ...body } = schema;
  if (body.$async !== undefined) throw new Error('$async is not supported');
  const ajv = new (loadAjv())({
    meta: false,
    validateSchema: false,
    allErrors: true,
    strictSchema: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    validateFormats: false,
    logger: false,
    verbose: true,
    code: { regExp: Object.assign(createPattern, { code: 'createPattern' }) },
  });
  return ajv.compile(body);
}

function createPattern(source: string, flags: string): LinearPattern {
  if (source.length > MAX_PATTERN_LENGTH) throw new Error(`the pattern is longer than ${MAX_PATTERN_LENGTH} characters`);
  return compilePattern(source, flags);
}

/** The first few validation errors in one line, for a person and for a re-ask. */
export function describeValidationErrors(errors: readonly ErrorObject[]): string {
  const messages = [...new Set(errors.map(describeError))];
  const shown = messages.slice(0, 5).join('; ');
  return messages.length > 5 ? `${shown}; and ${messages.length - 5} more` : shown;
}

function describeError(error: ErrorObject): string {
  const where = error.instancePath === '' ? 'the answer' : error.instancePath.slice(1).replaceAll('/', '.');
  switch (error.keyword) {
    case 'additionalProperties':
      return `${where} has the unknown property "${error.params.additionalProperty}"`;
    case 'required':
      return `${where} lacks "${error.params.missingProperty}"`;
    case 'enum':
      return `${where} must be one of ${shorten((error.params.allowedValues as unknown[]).map((value) => JSON.stringify(value)).join(', '))}, not ${showValue(error.data)}`;
    default:
      return `${where} ${error.message ?? `breaks ${error.keyword}`}, but is ${showValue(error.data)}`;
  }
}

function showValue(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : shorten(JSON.stringify(value) ?? 'nothing', 60);
}

function shorten(text: string, lengthCharacters = 300): string {
  return text.length > lengthCharacters ? `${text.slice(0, lengthCharacters)}…` : text;
}
