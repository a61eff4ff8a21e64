import { WireError } from '../wire-error.ts';
import { isRecord } from './prompt.ts';

/** The bounds of the strict subset (API guide on structured outputs, seen 2026-11). */
const MOST_PROPERTIES = 5_000;
const MOST_LEVELS = 10;
const MOST_ENUM_VALUES = 1_000;
const REFUSED_KEYWORDS = ['allOf', 'not', 'if', 'then', 'else', 'dependentRequired', 'dependentSchemas', 'default', 'oneOf'] as const;

interface Totals {
  properties: number;
  enumValues: number;
}

/** Refuses a schema outside the strict subset, in the API's words. `param` is where it stood in the body. Throws WireError 400. */
export function checkStrictSchema(schema: unknown, { name, param }: { readonly name: string; readonly param: string }): void {
  const refuse = (path: readonly string[], reason: string): never => {
    const context = path.map((step) => `'${step}'`).join(', ');
    throw new WireError(400, { message: `Invalid schema for response_format '${name}': In context=(${context}), ${reason}`, param });
  };
  const totals: Totals = { properties: 0, enumValues: 0 };

  function check(part: unknown, path: readonly string[], level: number): void {
    if (!isRecord(part)) return;
    if (level > MOST_LEVELS) refuse(path, `schema exceeds the maximum nesting of ${MOST_LEVELS} levels.`);
    for (const keyword of REFUSED_KEYWORDS) if (keyword in part) refuse(path, `'${keyword}' is not permitted.`);
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
