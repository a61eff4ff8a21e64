import { type Path, showPath } from '../../core/problem-path.ts';
import { suggest } from '../../core/wording/suggest.ts';

type Schema = Record<string, unknown>;

/** A problem at a path of the job, before its position in the file is looked up. */
export interface PathProblem {
  readonly path: Path;
  readonly message: string;
}

/** The input of the expansion, and where it reports problems. */
interface Expansion {
  readonly labels: readonly string[];
  readonly problems: PathProblem[];
}

/** Keys of the long form `{ type, description, … }`; a map with any other key is a nested object. */
const LONG_FORM_KEYS: ReadonlySet<string> = new Set([
  ...['type', 'title', 'description', 'enum', 'const', 'format', 'pattern', 'minLength', 'maxLength'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'items', 'minItems', 'maxItems'],
  ...['properties', 'required', 'additionalProperties', 'anyOf', '$ref'],
]);

const BASE_TYPES = ['string', 'number', 'integer', 'boolean', 'label'];

/** Names of types in other languages. */
const OTHER_TYPES: Readonly<Record<string, string>> = {
  ...{ int: 'integer', long: 'integer', float: 'number', double: 'number', decimal: 'number', bool: 'boolean' },
  ...{ str: 'string', text: 'string', date: 'string', list: 'string[]', array: 'string[]', 'list of strings': 'string[]' },
  ...{ enum: 'a | b | c', labels: 'label', category: 'a | b | c', percent: 'number 0..100' },
};

/**
 * Expands the fields of `output` into a strict JSON Schema: every field required, nothing else allowed; a trailing `?` makes a field nullable.
 * A field is a word (`string`, `number 0..1`, `integer 1..5`, `boolean`, `label`, `a | b | c`, each with `[]` for a list), a long form, or a map of fields.
 */
export function expandShorthand(
  fields: Readonly<Record<string, unknown>>,
  labels: readonly string[],
  path: Path,
): { schema: Schema; problems: PathProblem[] } {
  const expansion: Expansion = { labels, problems: [] };
  return { schema: expandFields(fields, path, expansion), problems: expansion.problems };
}

function expandFields(fields: Readonly<Record<string, unknown>>, path: Path, expansion: Expansion): Schema {
  const names = Object.keys(fields);
  return {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, expandField(fields[name], [...path, name], expansion)])),
    required: names,
    additionalProperties: false,
  };
}

function expandField(value: unknown, path: Path, expansion: Expansion): Schema {
  if (typeof value === 'string') return expandWord(value, path, expansion);
  if (!isMap(value) || Object.keys(value).length === 0) {
    const problem = Array.isArray(value)
      ? 'a list is not a type; write "a | b | c" for a closed set, "string[]" for a list'
      : 'must be a type or a map of fields';
    expansion.problems.push({ path, message: `${showPath(path)}: ${problem}` });
    return {};
  }
  const isLongForm = ('type' in value || 'enum' in value) && Object.keys(value).every((key) => LONG_FORM_KEYS.has(key));
  return isLongForm ? expandLongForm(value, path, expansion) : expandFields(value, path, expansion);
}

/** The word in `type` is expanded; everything beside it is JSON Schema and stays. */
function expandLongForm(value: Readonly<Record<string, unknown>>, path: Path, expansion: Expansion): Schema {
  const { type, ...rest } = value;
  const isPlainJsonType = type === undefined || Array.isArray(type) || type === 'object' || type === 'array' || type === 'null';
  if (isPlainJsonType) return { ...value };
  if (typeof type === 'string') return { ...expandWord(type, [...path, 'type'], expansion), ...rest };
  return expandFields(value, path, expansion);
}

function expandWord(text: string, path: Path, expansion: Expansion): Schema {
  let word = text.trim();
  const isOptional = word.endsWith('?');
  if (isOptional) word = word.slice(0, -1).trimEnd();
  const isList = word.endsWith('[]');
  if (isList) word = word.slice(0, -2).trimEnd();
  const base = expandBase(word, path, expansion);
  return makeNullable(isList ? { type: 'array', items: base } : base, isOptional);
}

function makeNullable(schema: Schema, isOptional: boolean): Schema {
  if (!isOptional) return schema;
  const enumWithNull = Array.isArray(schema.enum) ? { enum: [...schema.enum, null] } : {};
  return { ...schema, type: [schema.type, 'null'], ...enumWithNull };
}

const NUMBER_RANGE = /^(number|integer)\s+(-?\d+(?:\.\d+)?)?\s*\.\.\s*(-?\d+(?:\.\d+)?)?$/;

function expandBase(word: string, path: Path, expansion: Expansion): Schema {
  const fail = (message: string): Schema => {
    expansion.problems.push({ path, message: `${showPath(path)}: ${message}` });
    return {};
  };
  if (word === 'label') {
    return expansion.labels.length > 0 ? { type: 'string', enum: [...expansion.labels] } : fail('label needs the key labels in the job');
  }
  if (BASE_TYPES.includes(word)) return { type: word };
  const range = NUMBER_RANGE.exec(word);
  if (range !== null) {
    const [, type, minimum, maximum] = range;
    if (minimum !== undefined && maximum !== undefined && Number(minimum) > Number(maximum)) return fail(`the range ${word} is empty`);
    return {
      type,
      ...(minimum === undefined ? {} : { minimum: Number(minimum) }),
      ...(maximum === undefined ? {} : { maximum: Number(maximum) }),
    };
  }
  if (word.includes('|')) {
    const choices = word.split('|').map((choice) => choice.trim());
    if (choices.includes('') || new Set(choices).size < choices.length)
      return fail('the choices between bars must not be empty or repeated');
    return { type: 'string', enum: choices };
  }
  const meant = Object.hasOwn(OTHER_TYPES, word.toLowerCase())
    ? `. Did you mean "${OTHER_TYPES[word.toLowerCase()]}"?`
    : suggest(word, BASE_TYPES);
  return fail(`unknown type "${word}"; known are ${BASE_TYPES.join(', ')}, "number 0..1" and "a | b | c"${meant}`);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
