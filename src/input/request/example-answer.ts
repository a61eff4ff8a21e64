import { stringifyExactly } from '../../core/exact/exact-number.ts';
import type { ExamplesSpec, OutputSpec } from '../../core/job.ts';
import { isBlankCell, showCell } from './cell-text.ts';

type Schema = Readonly<Record<string, unknown>>;

/** The column for the answers of a job whose output is a text. */
const TEXT_COLUMN = 'answer';

/** The column of the table of examples for each field of the answer; a text has the single field `answer`. */
export function listAnswerFields(spec: ExamplesSpec, output: OutputSpec): readonly (readonly [field: string, column: string])[] {
  const fields = output.type === 'text' ? [TEXT_COLUMN] : output.columns;
  return fields.map((field) => [field, spec.output[field] ?? field] as const);
}

/**
 * The answer in a row of examples, in the form of a model: a text, or a JSON object whose values have the types of the schema.
 * @returns null if all its cells are blank: the row has no answer
 */
export function makeExampleAnswer(output: OutputSpec, cells: readonly (readonly [field: string, cell: unknown])[]): string | null {
  if (cells.every(([, cell]) => isBlankCell(cell))) return null;
  if (output.type === 'text') {
    const text = showCell(cells[0]?.[1]);
    return output.labels === undefined ? text : text.trim();
  }
  const properties = mapOf(mapOf(output.schema).properties);
  return stringifyExactly(Object.fromEntries(cells.map(([field, cell]) => [field, readCell(cell, mapOf(properties[field]))])));
}

/** A cell of a CSV table is text, whatever it means; one of a JSON table already has its type. */
function readCell(cell: unknown, schema: Schema): unknown {
  if (typeof cell !== 'string') return cell ?? null;
  const types = [schema.type].flat();
  const text = cell.trim();
  if (types.includes('null') && text === '') return null;
  if (types.includes('array')) return readList(text, mapOf(schema.items));
  if (types.includes('object')) return readJson(text) ?? cell;
  if ((types.includes('number') || types.includes('integer')) && text !== '' && Number.isFinite(Number(text))) return Number(text);
  if (types.includes('boolean') && /^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  return Array.isArray(schema.enum) ? text : cell;
}

/** `a | b`, `a; b`, `a, b` or a JSON list. */
function readList(text: string, items: Schema): unknown {
  if (text.startsWith('[')) return readJson(text) ?? text;
  return text === '' ? [] : text.split(/[|;,]/).map((item) => readCell(item.trim(), items));
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function mapOf(value: unknown): Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Schema) : {};
}
