import type { Job } from '../../../core/job.ts';
import type { FieldFacts } from '../facts.ts';

/** A field of the answers with few values, which can be counted. */
export interface ClosedField {
  readonly field: string;
  /** In the order of the job. */
  readonly values: readonly string[];
  /** The index of an answer's value among `values`; -1 for none. */
  readonly placeOf: (answer: unknown) => number;
}

/** The number of bars for a bounded number. */
const NUMBER_BARS = 10;
/** More values than this are not a closed set a person could read. */
const MAX_VALUES = 60;

/** The labels, enums, booleans and bounded numbers of a job's answers. */
export function findClosedFields({ output, labels }: Pick<Job, 'output' | 'labels'>): readonly ClosedField[] {
  if (output.type === 'text') {
    const names = labels.map(({ name }) => name);
    return names.length === 0 ? [] : [makeField('answer', names, (answer) => mapOf(answer).answer ?? answer)];
  }
  const properties = mapOf(mapOf(output.schema).properties);
  return Object.entries(properties).flatMap(([field, schema]) => {
    const read = (answer: unknown) => (answer as Readonly<Record<string, unknown>> | null)?.[field];
    const values = closedValuesOf(mapOf(schema));
    if (values !== null && values.length <= MAX_VALUES) return [makeField(field, values, read)];
    const bounds = boundsOf(mapOf(schema));
    return bounds === null ? [] : [makeNumberField(field, bounds, read)];
  });
}

/** Counts one field over the given answers. */
export function createFieldCounter({ field, values, placeOf }: ClosedField): {
  add(answer: unknown, isNew?: boolean): void;
  read(): FieldFacts;
} {
  const counts = new Float64Array(values.length);
  const fresh = new Float64Array(values.length);
  return {
    add(answer, isNew = false) {
      const place = placeOf(answer);
      if (place === -1) return;
      counts[place] = (counts[place] as number) + 1;
      if (isNew) fresh[place] = (fresh[place] as number) + 1;
    },
    read: () => ({
      field,
      values: values.map((value, place) => ({
        value,
        rows: counts[place] as number,
        newRows: fresh[place] as number,
        previousRows: null,
      })),
      previousRun: null,
    }),
  };
}

function makeField(field: string, values: readonly unknown[], read: (answer: unknown) => unknown): ClosedField {
  const places = new Map(values.map((value, place) => [value, place]));
  return { field, values: values.map((value) => String(value)), placeOf: (answer) => places.get(read(answer)) ?? -1 };
}

function makeNumberField(field: string, { min, max }: Bounds, read: (answer: unknown) => unknown): ClosedField {
  const width = (max - min) / NUMBER_BARS;
  const show = (value: number) => String(Number(value.toPrecision(6)));
  const values = Array.from({ length: NUMBER_BARS }, (_, bar) => `${show(min + bar * width)} … ${show(min + (bar + 1) * width)}`);
  return {
    field,
    values,
    placeOf(answer) {
      const value = read(answer);
      return typeof value === 'number' && value >= min && value <= max ? Math.min(NUMBER_BARS - 1, Math.floor((value - min) / width)) : -1;
    },
  };
}

type Schema = Readonly<Record<string, unknown>>;

function closedValuesOf(schema: Schema): readonly unknown[] | null {
  if (Array.isArray(schema.enum)) return schema.enum.every(isPlain) ? schema.enum : null;
  if ('const' in schema) return isPlain(schema.const) ? [schema.const] : null;
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  if (types.includes('boolean') && types.every((type) => type === 'boolean' || type === 'null')) {
    return types.includes('null') ? [true, false, null] : [true, false];
  }
  if (types.every((type) => type === 'null')) return [null];
  const options = Array.isArray(schema.anyOf) ? schema.anyOf.map((option) => closedValuesOf(mapOf(option))) : [null];
  return options.every((values) => values !== null) ? options.flat() : null;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
}

function boundsOf(schema: Schema): Bounds | null {
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  const { minimum: min, maximum: max } = schema;
  if (!types.some((type) => type === 'number' || type === 'integer')) return null;
  return typeof min === 'number' && typeof max === 'number' && max > min ? { min, max } : null;
}

function isPlain(value: unknown): boolean {
  return value === null || typeof value !== 'object';
}

function mapOf(value: unknown): Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Schema) : {};
}
