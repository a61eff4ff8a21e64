import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import type { Problem } from '../../core/errors.ts';
import { type JobSource, type Path, showPath, showValue, sortByPlace } from '../../core/problem-path.ts';
import { suggest } from '../../core/wording/suggest.ts';
import { loadAjv } from '../answer/load-ajv.ts';
import { DELIMITER_PATTERN } from './delimiter.ts';
import { makeJobValidator, OWN_SCHEMA } from './job-validator.ts';

/** Every violation of a schema by a value, in the order of the text. */
export type SchemaCheck = (value: unknown, source: JobSource) => Problem[];

/** A check against one of our schemas, compiled on first use. */
export function createSchemaCheck(makeSchema: () => object): SchemaCheck {
  return createCheck(() => new (loadAjv())(OWN_SCHEMA).compile(makeSchema()));
}

function createCheck(makeValidator: () => ValidateFunction): SchemaCheck {
  let compiled: ValidateFunction | null = null;
  return (value, source) => {
    compiled ??= makeValidator();
    if (compiled(value)) return [];
    // For a condition only its requirement is reported.
    const errors = (compiled.errors ?? []).filter(({ keyword }) => keyword !== 'if');
    return sortByPlace(errors.map((error) => describeError(error, source)));
  };
}

/** Every violation of the job schema by a value. */
export const checkAgainstSchema: SchemaCheck = createCheck(makeJobValidator);

function describeError(error: ErrorObject, source: JobSource): Problem {
  const parent = readPointer(error.instancePath);
  const path = typeof error.params.additionalProperty === 'string' ? [...parent, error.params.additionalProperty] : parent;
  if (error.keyword === 'required') {
    const missing = [...parent, String(error.params.missingProperty)];
    return { place: source.placeOf(parent), message: `${showPath(missing)}: missing` };
  }
  return { place: source.placeOf(path), message: `${showPath(path)}: ${explain(error)}` };
}

function explain(error: ErrorObject): string {
  const { keyword, params, data } = error;
  switch (keyword) {
    case 'additionalProperties': {
      const known = Object.keys((error.parentSchema?.properties as object | undefined) ?? {});
      return `unknown key${suggest(String(params.additionalProperty), known)}`;
    }
    case 'type':
      return `must be ${[params.type].flat().map(nameType).join(' or ')}, not ${showValue(data)}`;
    case 'enum': {
      const allowed = (params.allowedValues as unknown[]).map(String);
      return `must be ${allowed.join(', ')}, not ${showValue(data)}${typeof data === 'string' ? suggest(data, allowed) : ''}`;
    }
    case 'minimum':
      return `must be ${params.limit} or more, not ${showValue(data)}`;
    case 'maximum':
      return `must be ${params.limit} or less, not ${showValue(data)}`;
    case 'minLength':
    case 'minItems':
    case 'minProperties':
      return 'must not be empty';
    case 'uniqueItems':
      return `item ${params.i} repeats item ${params.j}`;
    case 'pattern':
      if (params.pattern === DELIMITER_PATTERN) return `must be one character, in quotes as in ';', or tab, not ${showValue(data)}`;
      return `${showValue(data)} is not allowed here; it must match ${params.pattern}`;
    default:
      return error.message ?? `breaks the rule ${keyword}`;
  }
}

function nameType(type: string): string {
  if (type === 'object') return 'a map';
  if (type === 'array') return 'a list';
  if (type === 'string') return 'text';
  if (type === 'boolean') return 'true or false';
  if (type === 'null') return 'empty';
  return type === 'integer' ? 'a whole number' : `a ${type}`;
}

function readPointer(pointer: string): Path {
  const steps = pointer.split('/').slice(1);
  return steps.map((step) => {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    return /^\d+$/.test(name) ? Number(name) : name;
  });
}
