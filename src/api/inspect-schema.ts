import { UsageError } from '../core/errors.ts';
import { makeSampleAnswer } from '../host/sample-answer.ts';
import { type JsonSchema, readJsonSchema, requireStandard, type StandardSchema, validate } from './standard-schema.ts';

type Map = Readonly<Record<string, unknown>>;

/** What answers other than an object look like; the library says which of them it takes where it gives no JSON Schema. */
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

/** @throws UsageError when an answer, which is one JSON object, can never be what the schema wants, or it checks asynchronously as far as that shows at once */
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

/** @throws UsageError when the schema checks an answer that fits it asynchronously */
export async function inspectSchema(schema: StandardSchema): Promise<void> {
  const jsonSchema = readJsonSchema(schema);
  if (jsonSchema !== null) takes(schema, await makeSampleAnswer(jsonSchema));
}

/** The kind of answer the schema takes where it takes no object as far as is known. */
function findTakenKind(schema: StandardSchema): string | null {
  if (takes(schema, {})) return null;
  return NO_OBJECTS.find(([, value]) => takes(schema, value))?.[0] ?? null;
}

/** Whether a made-up answer is taken; a check that throws over it does not take it. @throws UsageError as of `validate` */
function takes(schema: StandardSchema, value: unknown): boolean {
  try {
    return validate(schema, value).issues === undefined;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    return false;
  }
}

/** What a JSON Schema wants that can be no object; null where it may be one. */
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

/** Null: not known. */
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
