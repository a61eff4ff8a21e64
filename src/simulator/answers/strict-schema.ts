import { WireError } from '../wire-error.ts';
import { isRecord } from './prompt.ts';

/** The bounds of the strict subset (API guide on structured outputs, seen 2026-11). */
const MOST_PROPERTIES = 5_000;
const MOST_LEVELS = 10;
const MOST_ENUM_VALUES = 1_000;
/** The type keywords; every model with schemas accepts them. */
const FORM_KEYWORDS = `type title description enum const properties required additionalProperties items anyOf $ref $defs definitions`.split(
  ' ',
);
/** Restricting keywords, and those of them that fine-tuned models refuse. */
const NOT_FOR_FINE_TUNED = 'pattern format minimum maximum multipleOf minItems maxItems'.split(' ');
const NARROWING_KEYWORDS = [...NOT_FOR_FINE_TUNED, 'minLength', 'maxLength', 'exclusiveMinimum', 'exclusiveMaximum'];
const FORMATS = ['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid'];
/** `(?=`, `(?!`, `(?<=`, `(?<!` outside of a class. */
const LOOKAROUND = /^(?:\\[\s\S]|\[(?:\\[\s\S]|[^\]\\])*\]|(?!\(\?<?[=!])[^\\[])*\(\?<?[=!]/;

interface Totals {
  properties: number;
  enumValues: number;
}

interface SchemaPlace {
  /** The name of the schema in the request. */
  readonly name: string;
  /** Where it stood in the body. */
  readonly param: string;
  /** Fine-tuned models support less. */
  readonly isFineTuned: boolean;
}

/**
 * Refuses a schema outside the strict subset, in the API's words (guide on structured outputs; anomalyco/opencode#32073 for lookaround,
 * langchain-ai/langchainjs#11384 for `$ref`). Throws WireError 400.
 */
export function checkStrictSchema(schema: unknown, { name, param, isFineTuned }: SchemaPlace): void {
  const known = new Set([
    ...FORM_KEYWORDS,
    ...NARROWING_KEYWORDS.filter((keyword) => !isFineTuned || !NOT_FOR_FINE_TUNED.includes(keyword)),
  ]);
  const refuse = (path: readonly string[], reason: string): never => {
    const context = path.map((step) => `'${step}'`).join(', ');
    throw new WireError(400, { message: `Invalid schema for response_format '${name}': In context=(${context}), ${reason}`, param });
  };
  const refuseReference = (path: readonly string[], beside: readonly string[]): never => {
    const [context, keywords] = [path, beside].map((words) => words.map((word) => `'${word}'`).join(', '));
    const message = `Invalid schema for response_format '${name}': context=(${context}), $ref cannot have keywords {${keywords}}.`;
    throw new WireError(400, { message, param });
  };
  const totals: Totals = { properties: 0, enumValues: 0 };

  function check(part: unknown, path: readonly string[], level: number): void {
    if (!isRecord(part)) return;
    if (level > MOST_LEVELS) refuse(path, `schema exceeds the maximum nesting of ${MOST_LEVELS} levels.`);
    const keywords = Object.keys(part);
    if ('$ref' in part && keywords.length > 1)
      refuseReference(
        path,
        keywords.filter((keyword) => keyword !== '$ref'),
      );
    for (const keyword of keywords) if (!known.has(keyword)) refuse(path, `'${keyword}' is not permitted.`);
    if (!['type', '$ref', 'anyOf', 'enum', 'const'].some((keyword) => keyword in part)) refuse(path, "schema must have a 'type' key.");
    checkText(part, path);
    if (part.type === 'array' && !('items' in part)) refuse(path, 'array schema missing items.');
    if (Array.isArray(part.enum)) totals.enumValues += part.enum.length;
    if (totals.enumValues > MOST_ENUM_VALUES) refuse(path, `schema exceeds the maximum of ${MOST_ENUM_VALUES} enum values.`);
    if (part.type === 'object' || 'properties' in part) checkObject(part, path, level);
    if ('items' in part) check(part.items, [...path, 'items'], level + 1);
    if (Array.isArray(part.anyOf)) part.anyOf.forEach((branch, index) => void check(branch, [...path, 'anyOf', String(index)], level));
    for (const definitions of ['$defs', 'definitions']) {
      const named = part[definitions];
      if (isRecord(named)) for (const [key, definition] of Object.entries(named)) check(definition, [...path, definitions, key], 1);
    }
  }

  function checkText({ format, pattern }: Readonly<Record<string, unknown>>, path: readonly string[]): void {
    if (typeof format === 'string' && !FORMATS.includes(format)) refuse(path, `'${format}' is not a valid format.`);
    if (typeof pattern !== 'string' || !LOOKAROUND.test(pattern)) return;
    const message = `Invalid JSON schema: regex lookaround is not supported. Found at ${['$', ...path, 'pattern'].join('.')}.`;
    throw new WireError(400, { message, param, code: 'invalid_json_schema' });
  }

  function checkObject(part: Readonly<Record<string, unknown>>, path: readonly string[], level: number): void {
    const properties = isRecord(part.properties) ? part.properties : {};
    const required = Array.isArray(part.required) ? part.required : [];
    if (part.additionalProperties !== false) refuse(path, "'additionalProperties' is required to be supplied and to be false.");
    for (const [key, property] of Object.entries(properties)) {
      totals.properties += 1;
      if (totals.properties > MOST_PROPERTIES) refuse(path, `schema exceeds the maximum of ${MOST_PROPERTIES} properties.`);
      if (!required.includes(key))
        refuse(path, `'required' is required to be supplied and to be an array including every key in properties. Missing '${key}'.`);
      check(property, [...path, 'properties', key], level + 1);
    }
    const extra = required.find((key) => !Object.hasOwn(properties, String(key)));
    if (extra !== undefined)
      refuse(path, `'required' is required to be an array of the keys in properties. Extra required key '${extra}' supplied.`);
  }

  const type = isRecord(schema) ? (schema.type ?? 'None') : 'None';
  if (type !== 'object') refuse([], `schema must be a JSON Schema of 'type: "object"', got 'type: "${type}"'.`);
  if (isRecord(schema) && 'anyOf' in schema) refuse([], "'anyOf' is not permitted.");
  check(schema, [], 1);
}
