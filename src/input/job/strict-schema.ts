import type { Path } from '../../core/problem-path.ts';
import { isMap, MAX_LEVELS, type Schema, type SchemaNode, walkSchema } from './schema-nodes.ts';
import { listStrangeParts } from './strict-pattern.ts';

/** What breaks the strict subset, and where in the schema. */
export interface SchemaProblem {
  readonly path: Path;
  readonly message: string;
}

/** Keywords for the type of a value: every model with schemas supports them. */
export const FORM_KEYWORDS: ReadonlySet<string> = new Set([
  ...['type', 'title', 'description', 'enum', 'const', 'properties', 'required', 'additionalProperties', 'items', 'anyOf'],
  ...['$ref', '$defs', 'definitions'],
]);
/**
 * The strict subset of `response_format: json_schema`: what the API refuses makes every row fail, so it is refused here. Structured outputs guide,
 * seen 2026-11-21; `minLength` and `maxLength` are accepted too, lookaround is not (pydantic/pydantic-ai#7400, vercel/ai#21037).
 */
const KNOWN_KEYWORDS: ReadonlySet<string> = new Set([
  ...FORM_KEYWORDS,
  ...['pattern', 'format', 'minLength', 'maxLength', 'multipleOf', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  ...['minItems', 'maxItems'],
]);
const KNOWN_FORMATS = ['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid'];
const MAX_PROPERTIES = 5_000;
const MAX_NAME_CHARACTERS = 120_000;
const MAX_ENUM_VALUES = 1_000;
const LONG_ENUM_VALUES = 250;
const MAX_LONG_ENUM_CHARACTERS = 15_000;

/** Adds what strict mode requires and the schema clearly implies: `additionalProperties: false`, and the type of an enum or const. */
export function completeStrictSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(completeStrictSchema);
  if (!isMap(schema)) return schema;
  const completed = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, completeKeyword(key, value)]));
  if (isMap(schema.properties) && !Object.hasOwn(schema, 'additionalProperties')) completed.additionalProperties = false;
  const type = Object.hasOwn(schema, 'type') ? null : typeOfChoices(schema);
  return type === null ? completed : { type, ...completed };
}

function completeKeyword(key: string, value: unknown): unknown {
  if (key === 'items' || key === 'anyOf') return completeStrictSchema(value);
  const isMapOfSchemas = (key === 'properties' || key === '$defs' || key === 'definitions') && isMap(value);
  return isMapOfSchemas ? Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, completeStrictSchema(schema)])) : value;
}

function typeOfChoices(schema: Schema): string | null {
  const choices = Array.isArray(schema.enum) ? schema.enum : Object.hasOwn(schema, 'const') ? [schema.const] : [];
  const types = new Set(choices.map((choice) => typeof choice));
  const [type] = types;
  return types.size === 1 && (type === 'string' || type === 'number' || type === 'boolean') ? type : null;
}

/** Everything in a schema the API would refuse in strict mode. */
export function lintStrictSchema(schema: Schema): readonly SchemaProblem[] {
  const walk: Walk = { problems: [], properties: 0, enumValues: 0, nameCharacters: 0 };
  if (schema.type !== 'object') walk.problems.push({ path: [], message: 'the root must have "type: object"' });
  if (schema.anyOf !== undefined) walk.problems.push({ path: ['anyOf'], message: 'anyOf is not allowed at the root' });
  for (const node of walkSchema(schema)) lintNode(node, walk);
  if (walk.properties > MAX_PROPERTIES)
    walk.problems.push({ path: [], message: `${walk.properties} properties; at most ${MAX_PROPERTIES}` });
  if (walk.enumValues > MAX_ENUM_VALUES)
    walk.problems.push({ path: [], message: `${walk.enumValues} enum values; at most ${MAX_ENUM_VALUES}` });
  if (walk.nameCharacters > MAX_NAME_CHARACTERS)
    walk.problems.push({ path: [], message: `${walk.nameCharacters} characters of names and values; at most ${MAX_NAME_CHARACTERS}` });
  return walk.problems;
}

interface Walk {
  readonly problems: SchemaProblem[];
  properties: number;
  enumValues: number;
  nameCharacters: number;
}

function lintNode({ schema, path, level }: SchemaNode, walk: Walk): void {
  const report = (message: string, ...more: (string | number)[]): void => {
    walk.problems.push({ path: [...path, ...more], message });
  };
  if (!isMap(schema) || level > MAX_LEVELS) {
    report(isMap(schema) ? `nested deeper than ${MAX_LEVELS} levels` : 'must be a schema (a map)');
    return;
  }
  const beside = Object.keys(schema).filter((key) => key !== '$ref');
  if (Object.hasOwn(schema, '$ref') && beside.length > 0) {
    report(`a $ref must be alone in strict schemas; move ${beside.join(', ')} into the definition it refers to, or leave it out`, '$ref');
    return;
  }
  for (const key of Object.keys(schema)) {
    if (!KNOWN_KEYWORDS.has(key)) report(`"${key}" is not supported by strict schemas`, key);
  }
  if (!['type', 'anyOf', '$ref', 'enum', 'const'].some((key) => Object.hasOwn(schema, key))) report('needs a type');
  if (typeof schema.format === 'string' && !KNOWN_FORMATS.includes(schema.format))
    report(`must be one of ${KNOWN_FORMATS.join(', ')}`, 'format');
  if (typeof schema.pattern === 'string') {
    const { refused } = listStrangeParts(schema.pattern);
    if (refused.length > 0) report(`lookaround (${refused.join(' ')}) is not supported by strict schemas`, 'pattern');
  }
  lintObject(schema, path, report);
  lintChoices(schema, report, walk);
  if (hasType(schema, 'array') && !Object.hasOwn(schema, 'items')) report('a list needs items');
  walk.properties += isMap(schema.properties) ? Object.keys(schema.properties).length : 0;
  for (const named of [schema.properties, schema.$defs, schema.definitions]) {
    if (isMap(named)) for (const name of Object.keys(named)) walk.nameCharacters += name.length;
  }
}

type Report = (message: string, ...more: (string | number)[]) => void;

function lintObject(schema: Schema, path: Path, report: Report): void {
  if (!hasType(schema, 'object') && !isMap(schema.properties)) return;
  if (schema.additionalProperties !== false) report('must be false in strict schemas', 'additionalProperties');
  const names = isMap(schema.properties) ? Object.keys(schema.properties) : [];
  if (names.length === 0) report(`${path.length === 0 ? 'the root' : 'an object'} needs properties`);
  const required: readonly unknown[] = Array.isArray(schema.required) ? schema.required : [];
  for (const name of names) {
    if (!required.includes(name))
      report('must be listed in required; write an optional field with the type [x, "null"]', 'properties', name);
  }
  for (const name of required) {
    if (!names.includes(String(name))) report(`"${name}" is not a property`, 'required');
  }
}

function lintChoices(schema: Schema, report: Report, walk: Walk): void {
  if (Object.hasOwn(schema, 'const')) walk.nameCharacters += String(schema.const).length;
  if (!Array.isArray(schema.enum)) return;
  const strange = schema.enum.find((value) => Object.hasOwn(schema, 'type') && !typesOf(value).some((type) => hasType(schema, type)));
  if (strange !== undefined) report(`${JSON.stringify(strange)} does not have the type given, so no answer could match it`, 'enum');
  const characters = schema.enum.reduce((sum: number, value) => sum + String(value).length, 0);
  walk.enumValues += schema.enum.length;
  walk.nameCharacters += characters;
  if (schema.enum.length > LONG_ENUM_VALUES && characters > MAX_LONG_ENUM_CHARACTERS)
    report(`${characters} characters in an enum of more than ${LONG_ENUM_VALUES} values; at most ${MAX_LONG_ENUM_CHARACTERS}`, 'enum');
}

/** The names of types in JSON Schema. */
function typesOf(value: unknown): readonly string[] {
  if (value === null) return ['null'];
  if (typeof value === 'number') return Number.isInteger(value) ? ['integer', 'number'] : ['number'];
  return [Array.isArray(value) ? 'array' : typeof value];
}

function hasType(schema: Schema, type: string): boolean {
  return schema.type === type || (Array.isArray(schema.type) && schema.type.includes(type));
}
