import { UsageError } from '../core/errors.ts';
import { makeSampleAnswer } from '../host/sample-answer.ts';
import { type JsonSchema, readJsonSchema, requireStandard, type StandardSchema, validate } from './standard-schema.ts';

type Map = Readonly<Record<string, unknown>>;

/** Answers other than objects; without a JSON Schema the library is asked which of them it accepts. */
const NO_OBJECTS: readonly (readonly [string, unknown])[] = [
  ['a text', ''],
  ['a text', 'x'],
  ['a number', 0],
  ['a number', 1],
  ['true or false', true],
  ['a list', []],
  ['a list', ['x']],
  ['a list', [1]],
];

/** @throws UsageError if an answer, which is one JSON object, can never satisfy the schema, or if the schema validates asynchronously, as far as that can be seen at once */
export function requireObjectSchema(schema: StandardSchema): void {
  requireStandard(schema);
  const jsonSchema = readJsonSchema(schema);
  const wanted = jsonSchema === null ? findTakenKind(schema) : nameRoot(jsonSchema);
  if (wanted === null) return;
  throw new UsageError(
    `output: the schema wants ${wanted}, but an answer is one JSON object; put it into a field, for example { answer: … }`,
    { code: 'job' },
  );
}

/** @throws UsageError if the schema validates a matching answer asynchronously */
export async function inspectSchema(schema: StandardSchema): Promise<void> {
  const jsonSchema = readJsonSchema(schema);
  if (jsonSchema !== null) takes(schema, await makeSampleAnswer(jsonSchema));
}

/** The kind of answer the schema accepts if it accepts no object, as far as is known. */
function findTakenKind(schema: StandardSchema): string | null {
  if (takes(schema, {})) return null;
  return NO_OBJECTS.find(([, value]) => takes(schema, value))?.[0] ?? null;
}

/** Whether a made-up answer is accepted; a check that throws does not accept it. @throws UsageError like `validate` */
function takes(schema: StandardSchema, value: unknown): boolean {
  try {
    return validate(schema, value).issues === undefined;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    return false;
  }
}

/** What a JSON Schema requires that cannot be an object; null if it may be one. */
function nameRoot(root: JsonSchema): string | null {
  const types = listTypes(root, root);
  if (types === null || types.length === 0 || types.includes('object')) return null;
  return [...new Set(types)].map((type) => NAMES[type] ?? type).join(' or ');
}

const NAMES: Readonly<Record<string, string>> = {
  array: 'a list',
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  null: 'null',
};

/** Null: unknown. */
function listTypes(schema: Map, root: Map): readonly string[] | null {
  const { $ref, type, enum: values, const: value } = schema;
  if (typeof $ref === 'string') {
    const target = $ref.startsWith('#/$defs/') ? (root.$defs as Map | undefined)?.[$ref.slice('#/$defs/'.length)] : undefined;
    return isMap(target) && target.$ref === undefined ? listTypes(target, root) : null;
  }
  if (typeof type === 'string') return [type];
  if (Array.isArray(type)) return type.map(String);
  if (Array.isArray(values)) return values.map(typeOf);
  if ('const' in schema) return [typeOf(value)];
  const branches = schema.anyOf ?? schema.oneOf;
  if (!Array.isArray(branches)) return null;
  const types = branches.map((branch) => (isMap(branch) ? listTypes(branch, root) : null));
  return types.every((known) => known !== null) ? types.flat() : null;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function isMap(value: unknown): value is Map {
  return typeof value === 'object' && value !== null;
}
