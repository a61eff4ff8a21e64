import { ExactNumber, stringifyExactly } from '../../core/exact/exact-number.ts';

/**
 * A cell as it appears in a prompt: text unchanged, nothing for a missing or null value, numbers as in the table, booleans as in
 * JSON, lists and objects as compact JSON.
 */
export function showCell(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? stringifyExactly(value) : String(value);
}

/** Whether a cell is blank. */
export function isBlankCell(cell: unknown): boolean {
  return cell === undefined || cell === null || (typeof cell === 'string' && cell.trim() === '');
}

/**
 * A JSON value as templates see it: objects without a prototype that turn into compact JSON where a filter wants text,
 * where plain objects would turn into `[object Object]`.
 */
export function makeTemplateValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value;
  if (Array.isArray(value)) return value.map(makeTemplateValue);
  const entries = Object.entries(value).map(([key, item]) => [key, makeTemplateValue(item)] as const);
  const object: Record<string, unknown> = Object.assign(
    Object.create(JSON_TEXT),
    Object.fromEntries(entries.filter(([key]) => key !== '__proto__')),
  );
  for (const [key, item] of entries) {
    if (key === '__proto__') Object.defineProperty(object, key, { value: item, enumerable: true });
  }
  return object;
}

/** A label as templates see it: printed alone it is JSON; where a filter wants text, as `join` does, it is its name. */
export function makeTemplateLabel({ name, description }: { readonly name: string; readonly description: string }): object {
  return Object.assign(Object.create(LABEL_TEXT), { name, description });
}

/** The same values in objects that turn into compact JSON where a filter wants text. */
export function showAsJson(object: object): object {
  return Object.assign(Object.create(JSON_TEXT), object);
}

const LABEL_TEXT: object = Object.assign(Object.create(null), {
  toString(this: { readonly name: string }): string {
    return this.name;
  },
});

const JSON_TEXT: object = Object.assign(Object.create(null), {
  toString(this: unknown): string {
    return stringifyExactly(this);
  },
});
