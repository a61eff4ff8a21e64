/** What breaks the strict subset, and where in the schema. */
export interface SchemaProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

type Schema = Readonly<Record<string, unknown>>;

/**
 * The strict subset of `response_format: json_schema`: what the API refuses makes every row fail, so it is refused here.
 * Structured outputs guide and openai-contract section 10, seen 2026-11-21.
 */
const KNOWN_KEYWORDS: ReadonlySet<string> = new Set([
  ...[
    'type',
    'title',
    'description',
    'enum',
    'const',
    'properties',
    'required',
    'additionalProperties',
    'items',
    'anyOf',
    '$ref',
    '$defs',
    'definitions',
  ],
  ...['pattern', 'format', 'multipleOf', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'minItems', 'maxItems'],
]);
const KNOWN_FORMATS = ['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid'];
const MAX_PROPERTIES = 5_000;
const MAX_LEVELS = 10;
const MAX_NAME_CHARACTERS = 120_000;
const MAX_ENUM_VALUES = 1_000;
const LONG_ENUM_VALUES = 250;
const MAX_LONG_ENUM_CHARACTERS = 15_000;

/** Adds what strict mode wants spelled out and the schema leaves no doubt about: `additionalProperties: false`, and the type of an enum or const. */
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
  lintNode(schema, [], 1, walk);
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

function lintNode(schema: unknown, path: readonly (string | number)[], level: number, walk: Walk): void {
  const report = (message: string, ...more: (string | number)[]): void => {
    walk.problems.push({ path: [...path, ...more], message });
  };
  if (!isMap(schema) || level > MAX_LEVELS) {
    report(isMap(schema) ? `nested deeper than ${MAX_LEVELS} levels` : 'must be a schema (a map)');
    return;
  }
  for (const key of Object.keys(schema)) {
    if (!KNOWN_KEYWORDS.has(key)) report(`"${key}" is not supported by strict schemas`, key);
  }
  if (!['type', 'anyOf', '$ref', 'enum', 'const'].some((key) => Object.hasOwn(schema, key))) report('needs a type');
  if (typeof schema.format === 'string' && !KNOWN_FORMATS.includes(schema.format))
    report(`must be one of ${KNOWN_FORMATS.join(', ')}`, 'format');
  lintObject(schema, path, report);
  lintChoices(schema, report, walk);
  const properties = isMap(schema.properties) ? schema.properties : {};
  for (const [name, property] of Object.entries(properties)) {
    walk.properties++;
    walk.nameCharacters += name.length;
    lintNode(property, [...path, 'properties', name], level + 1, walk);
  }
  for (const key of ['$defs', 'definitions']) {
    const definitions = schema[key];
    if (!isMap(definitions)) continue;
    for (const [name, definition] of Object.entries(definitions)) {
      walk.nameCharacters += name.length;
      lintNode(definition, [...path, key, name], level, walk);
    }
  }
  if (Object.hasOwn(schema, 'items')) lintNode(schema.items, [...path, 'items'], level + 1, walk);
  else if (hasType(schema, 'array')) report('a list needs items');
  const branches: readonly unknown[] = Array.isArray(schema.anyOf) ? schema.anyOf : [];
  for (const [index, branch] of branches.entries()) lintNode(branch, [...path, 'anyOf', index], level, walk);
}

type Report = (message: string, ...more: (string | number)[]) => void;

function lintObject(schema: Schema, path: readonly (string | number)[], report: Report): void {
  if (!hasType(schema, 'object') && !isMap(schema.properties)) return;
  if (schema.additionalProperties !== false) report('must be false in strict schemas', 'additionalProperties');
  const names = isMap(schema.properties) ? Object.keys(schema.properties) : [];
  if (names.length === 0) report(`${path.length === 0 ? 'the root' : 'an object'} needs properties`);
  const required: readonly unknown[] = Array.isArray(schema.required) ? schema.required : [];
  for (const name of names) {
    if (!required.includes(name))
      report('must stand in required; an optional field is written with the type [x, "null"]', 'properties', name);
  }
  for (const name of required) {
    if (!names.includes(String(name))) report(`"${name}" is no property`, 'required');
  }
}

function lintChoices(schema: Schema, report: Report, walk: Walk): void {
  if (!Array.isArray(schema.enum)) return;
  const characters = schema.enum.reduce((sum: number, value) => sum + String(value).length, 0);
  walk.enumValues += schema.enum.length;
  walk.nameCharacters += characters;
  if (schema.enum.length > LONG_ENUM_VALUES && characters > MAX_LONG_ENUM_CHARACTERS)
    report(`${characters} characters in an enum of more than ${LONG_ENUM_VALUES} values; at most ${MAX_LONG_ENUM_CHARACTERS}`, 'enum');
}

function hasType(schema: Schema, type: string): boolean {
  return schema.type === type || (Array.isArray(schema.type) && schema.type.includes(type));
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
