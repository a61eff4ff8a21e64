import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';

/** Longest text a schema's `pattern` is tried on; with nested repetition refused, this bounds its time. */
const MAX_PATTERN_TEXT = 2_000;
const MAX_PATTERN_LENGTH = 500;

/** A text too long for a pattern reached the validator: the answer is invalid, not the program. */
export class PatternTextError extends Error {
  constructor(lengthCharacters: number) {
    super(`a text of ${lengthCharacters} characters is too long to be checked against a pattern (at most ${MAX_PATTERN_TEXT})`);
    this.name = 'PatternTextError';
  }
}

/** Knows what a schema may say. Making it takes longer than compiling a schema, so there is one. */
let metaAjv: Ajv2020 | null = null;
/** A job's schema is compiled when the job is read and again when its answers are. */
const compiled = new WeakMap<object, ValidateFunction>();

/**
 * Compiles a schema (draft 2020-12) for answers: all errors, no coercion, no defaults, `format` is a note only, unknown keywords are an error.
 * @throws Error when the schema is not valid; its message is fit for a person
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
  metaAjv ??= new Ajv2020({ logger: false });
  metaAjv.validateSchema(body, true);
  const ajv = new Ajv2020({
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

function createPattern(source: string, flags: string): { test(text: string): boolean } {
  if (source.length > MAX_PATTERN_LENGTH) throw new Error(`the pattern is longer than ${MAX_PATTERN_LENGTH} characters`);
  if (hasRiskyRepetition(source))
    throw new Error(`the pattern ${source} repeats a group that repeats or branches inside; it could take for ever`);
  const pattern = new RegExp(source, flags);
  return {
    test: (text) => {
      if (text.length > MAX_PATTERN_TEXT) throw new PatternTextError(text.length);
      return pattern.test(text);
    },
  };
}

/** A repeated group that holds repetition or alternatives, or a back reference: what makes a pattern take exponential time. */
export function hasRiskyRepetition(source: string): boolean {
  const text = source
    .replaceAll(/\\[1-9]|\\k</g, '\u0000')
    .replaceAll(/\\./g, 'x')
    .replaceAll(/\[[^\]]*\]/g, 'x');
  if (text.includes('\u0000')) return true;
  const open: boolean[] = [];
  for (let position = 0; position < text.length; position++) {
    const character = text[position] ?? '';
    if (character === '(') open.push(false);
    else if (character === ')') {
      const isRisky = open.pop() ?? false;
      const isRepeated = /^(?:[*+]|\{\d+,\d*\}|\{\d{2,}\})/.test(text.slice(position + 1));
      if (isRisky && isRepeated) return true;
      if ((isRisky || isRepeated) && open.length > 0) open[open.length - 1] = true;
    } else if (/[*+|{]/.test(character) && open.length > 0) open[open.length - 1] = true;
  }
  return false;
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
