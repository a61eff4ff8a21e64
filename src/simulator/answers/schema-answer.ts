import { WireError } from '../wire-error.ts';
import { makeMatchingText } from './pattern-text.ts';
import { isRecord } from './prompt.ts';
import type { Field, ValueMaker } from './value-maker.ts';

type Schema = Readonly<Record<string, unknown>>;

interface Place extends Field {
  readonly depth: number;
}

/** From this depth on, optional branches end: null, an empty array, the shallowest alternative. It stops recursive schemas. */
const DEPTH_OF_LEAVES = 6;
/** The maximum size of one answer: a schema may require more than a server can return, or something endless. */
const MOST_DEPTH = 200;
const MOST_VALUES = 100_000;
const MOST_TEXT_CHARACTERS = 1_000_000;

/** Makes a value that satisfies the schema, filled by the maker. `allOf`, `not` and conditions are outside the strict subset and ignored. */
export function makeAnswer(root: Schema, maker: ValueMaker): unknown {
  let values = 0;
  let characters = 0;

  function make(schema: unknown, outer: Place): unknown {
    values += 1;
    const place = describe(schema, outer);
    if (place.depth > MOST_DEPTH || values > MOST_VALUES) refuse('asks for more than an answer can hold');
    if (!isRecord(schema)) return maker.text(place);
    if (typeof schema.$ref === 'string') return make(resolve(schema.$ref), { ...place, depth: place.depth + 1 });
    if ('const' in schema) return schema.const;
    if (allowsNull(schema) && maker.isAbsent(place)) return null;
    if (Array.isArray(schema.enum) && schema.enum.length > 0) return maker.choose(schema.enum, place);
    const alternatives = schema.anyOf ?? schema.oneOf;
    if (Array.isArray(alternatives) && alternatives.length > 0)
      return make(chooseAlternative(alternatives, place), { ...place, depth: place.depth + 1 });
    switch (typeOf(schema, place)) {
      case 'object':
        return makeObject(schema, place);
      case 'array':
        return makeArray(schema, place);
      case 'number':
        return maker.number(place, boundsOf(schema, false));
      case 'integer':
        return maker.number(place, boundsOf(schema, true));
      case 'boolean':
        return maker.boolean(place);
      case 'null':
        return null;
      default:
        return fitText(maker.text(place), schema, place);
    }
  }

  function makeObject(schema: Schema, place: Place): unknown {
    const properties = isRecord(schema.properties) ? schema.properties : {};
    return Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [name, make(property, { ...place, name, depth: place.depth + 1 })]),
    );
  }

  function makeArray(schema: Schema, place: Place): unknown[] {
    const least = readNumber(schema.minItems) ?? 0;
    const most = readNumber(schema.maxItems) ?? Number.POSITIVE_INFINITY;
    const choices = isRecord(schema.items) && Array.isArray(schema.items.enum) ? schema.items.enum : undefined;
    const usual = place.depth >= DEPTH_OF_LEAVES ? 0 : maker.countItems(place, choices);
    const length = Math.max(least, Math.min(most, usual));
    if (values + length > MOST_VALUES) refuse(`asks for ${length} items`);
    return Array.from({ length }, (_, item) =>
      make(schema.items, {
        ...place,
        name: item === 0 ? place.name : `${place.name} ${item + 1}`,
        item,
        list: place.name,
        depth: place.depth + 1,
      }),
    );
  }

  function fitText(text: string, schema: Schema, place: Place): string {
    if (typeof schema.pattern === 'string') return makeMatchingText(schema.pattern, text);
    if (typeof schema.format === 'string') return FORMATS[schema.format] ?? text;
    const least = readNumber(schema.minLength) ?? 0;
    const most = readNumber(schema.maxLength) ?? Number.POSITIVE_INFINITY;
    characters += least;
    if (characters > MOST_TEXT_CHARACTERS) refuse(`asks for ${least} characters`);
    if (least === 0 && text !== '' && text.length <= most) return text;
    const letters = [...(place.depth === 0 && text === '' ? 'none' : text)];
    while (letters.length < least) letters.push('.');
    return letters.slice(0, most).join('');
  }

  function resolve(reference: string): unknown {
    let found: unknown = root;
    for (const step of reference.replace(/^#\/?/, '').split('/').filter(Boolean)) {
      const name = decodeStep(step).replaceAll('~1', '/').replaceAll('~0', '~');
      found = isRecord(found) ? found[name] : Array.isArray(found) ? found[Number(name)] : undefined;
    }
    return found ?? {};
  }

  return make(root, { name: 'answer', item: 0, depth: 0 });
}

/** The schema at a place; its context does not matter. */
function describe(schema: unknown, place: Place): Place {
  const description = isRecord(schema) && typeof schema.description === 'string' ? schema.description : undefined;
  return description === undefined && place.description === undefined ? place : { ...place, description };
}

function allowsNull(schema: Schema): boolean {
  const isNull = (branch: unknown) => isRecord(branch) && branch.type === 'null';
  return (Array.isArray(schema.type) && schema.type.includes('null')) || (Array.isArray(schema.anyOf) && schema.anyOf.some(isNull));
}

function refuse(what: string): never {
  throw new WireError(400, { message: `Invalid schema for response_format: it ${what}.`, param: 'response_format' });
}

/** A step of a JSON pointer in a URI fragment; a stray `%` is literal. */
function decodeStep(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

/** The texts for the formats of the strict subset (and uri). */
const FORMATS: Readonly<Record<string, string>> = {
  'date-time': '2026-01-15T09:30:00Z',
  time: '09:30:00Z',
  date: '2026-01-15',
  duration: 'P1D',
  email: 'name@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uuid: '123e4567-e89b-42d3-a456-426614174000',
  uri: 'https://example.com/',
};

function chooseAlternative(alternatives: readonly unknown[], { depth }: Place): unknown {
  const isNull = (schema: unknown): boolean => isRecord(schema) && schema.type === 'null';
  if (depth < DEPTH_OF_LEAVES) return alternatives.find((schema) => !isNull(schema)) ?? alternatives[0];
  return (
    alternatives.find(isNull) ??
    alternatives.find((schema) => isRecord(schema) && !('$ref' in schema) && !('properties' in schema)) ??
    alternatives[0]
  );
}

function typeOf(schema: Schema, { depth }: Place): unknown {
  const type = schema.type;
  if (Array.isArray(type))
    return depth >= DEPTH_OF_LEAVES && type.includes('null') ? 'null' : (type.find((name) => name !== 'null') ?? 'null');
  if (type !== undefined) return type;
  return 'properties' in schema ? 'object' : 'items' in schema ? 'array' : 'string';
}

function boundsOf(schema: Schema, isInteger: boolean) {
  const multipleOf = readNumber(schema.multipleOf);
  const step = multipleOf ?? (isInteger ? 1 : 0.01);
  const above = readNumber(schema.exclusiveMinimum);
  const below = readNumber(schema.exclusiveMaximum);
  const minimum = readNumber(schema.minimum) ?? (above === undefined ? undefined : above + step);
  const maximum = readNumber(schema.maximum) ?? (below === undefined ? undefined : below - step);
  return { minimum, maximum, isInteger, multipleOf };
}

function readNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
