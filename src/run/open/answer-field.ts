import { UsageError } from '../../core/errors.ts';
import type { Job } from '../../core/job.ts';
import { suggest } from '../../core/wording/suggest.ts';
import { showCell } from '../../input/request/cell-text.ts';
import { ANSWER_COLUMN } from '../../output/table-columns.ts';

/** Represents an empty answer in a field that may be empty. */
export const NO_LABEL = '(none)';

/** The part of an answer that is compared with others. */
export interface Field {
  readonly name: string;
  /** The closed set of its values; null if it is open. */
  readonly labels: readonly string[] | null;
  /** Whether an answer contains several labels. */
  readonly isList: boolean;
  /** The labels of an answer: one, or for a list each once, sorted. */
  read(answer: unknown): readonly string[];
  /** The labels a person wrote into a cell; null for an empty cell. */
  readGold(cell: unknown): readonly string[] | null;
}

type Schema = Readonly<Record<string, unknown>>;

/**
 * The field of a job's answers that has labels, or the named one.
 * @throws UsageError if there is no field of that name, or it is not clear which one is meant
 */
export function chooseField(job: Pick<Job, 'name' | 'output'>, name: string | null): Field {
  const found = name === null ? findComparedField(job) : name;
  if (found !== null) return makeField(job, found);
  const fields = listFields(job).join(', ');
  throw new UsageError(`${job.name}: its answers have no single field with labels; name one with --field: ${fields}`, { code: 'field' });
}

/** The one field with labels; for answers with a single field that one. Null if there are none or several. */
export function findComparedField({ output }: Pick<Job, 'output'>): string | null {
  if (output.type === 'text') return ANSWER_COLUMN;
  const closed = output.columns.filter((name) => hasEnum(schemaOf(output.schema, name)));
  const candidates = closed.length > 0 ? closed : output.columns;
  return candidates.length === 1 ? (candidates[0] ?? null) : null;
}

function makeField(job: Pick<Job, 'name' | 'output'>, name: string): Field {
  const { output } = job;
  const fields = listFields(job);
  // JSON mode without a schema may return anything.
  const isOpen = output.type === 'json' && output.columns.length === 0;
  if (!isOpen && !fields.includes(name)) {
    const message = `${job.name}: no field "${name}" in its answers; fields: ${fields.join(', ')}${suggest(name, fields)}`;
    throw new UsageError(message, { code: 'field' });
  }
  const schema = output.type === 'text' ? schemaOfText(output.labels) : schemaOf(output.schema, name);
  const isList = schema.items !== undefined || schema.type === 'array';
  const value = isList && isMap(schema.items) ? schema.items : schema;
  const types = [value.type].flat();
  const normalize = (text: string) => {
    if (types.includes('boolean')) return text.toLowerCase();
    const isNumber = (types.includes('number') || types.includes('integer')) && text !== '' && Number.isFinite(Number(text));
    return isNumber ? String(Number(text)) : text;
  };
  return {
    name,
    labels: listLabels(value),
    isList,
    read(answer) {
      const found = output.type === 'text' && !isMap(answer) ? answer : readOwn(answer, name);
      return isList && Array.isArray(found) ? makeSet(found.map(showLabel)) : [showLabel(found)];
    },
    readGold(cell) {
      if (isList && Array.isArray(cell)) return makeSet(cell.map(showLabel));
      const text = showCell(cell).trim();
      if (text === '') return null;
      return isList ? makeSet(splitList(text).map(normalize)) : [normalize(text)];
    },
  };
}

function listFields({ output }: Pick<Job, 'output'>): readonly string[] {
  return output.type === 'json' && output.columns.length > 0 ? output.columns : [ANSWER_COLUMN];
}

function listLabels(schema: Schema): readonly string[] | null {
  if (Array.isArray(schema.enum)) return schema.enum.map(showLabel);
  if ('const' in schema) return [showLabel(schema.const)];
  return schema.type === 'boolean' ? ['false', 'true'] : null;
}

function hasEnum(schema: Schema): boolean {
  return Array.isArray(schema.enum) || (isMap(schema.items) && Array.isArray(schema.items.enum));
}

function schemaOf(schema: Schema | null, name: string): Schema {
  const properties = isMap(schema?.properties) ? schema.properties : {};
  const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
  return isMap(property) ? property : {};
}

function schemaOfText(labels: readonly string[] | undefined): Schema {
  return labels === undefined ? {} : { enum: labels };
}

function readOwn(answer: unknown, name: string): unknown {
  return isMap(answer) && Object.hasOwn(answer, name) ? answer[name] : undefined;
}

function showLabel(value: unknown): string {
  return showCell(value).trim() || NO_LABEL;
}

/** `a | b`, `a; b`, `a, b` or a JSON list. */
function splitList(text: string): readonly string[] {
  if (text.startsWith('[')) {
    try {
      const list: unknown = JSON.parse(text);
      if (Array.isArray(list)) return list.map(showLabel);
    } catch {
      // Not a JSON list: split like any other text.
    }
  }
  return text.split(/[|;,]/).map(showLabel);
}

function makeSet(labels: readonly string[]): readonly string[] {
  return [...new Set(labels)].toSorted();
}

function isMap(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
