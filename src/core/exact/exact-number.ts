/**
 * A number of a table that JavaScript would write otherwise than it stands there: beyond 2^53, with zeros at its end, with an exponent, `-0`. Its
 * text is what it is; in comparisons and arithmetic of templates it is the nearest number.
 */
export class ExactNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
  valueOf(): number {
    return Number(this.text);
  }
  /** What `JSON.stringify` takes for it where nobody knows of it: the text, rather than another number. */
  toJSON(): string {
    hasMetExact = true;
    return this.text;
  }
  // How Liquid compares what it does not know.
  equals(other: unknown): boolean {
    return Number(this.text) === toNumber(other);
  }
  gt(other: unknown): boolean {
    return Number(this.text) > toNumber(other);
  }
  geq(other: unknown): boolean {
    return Number(this.text) >= toNumber(other);
  }
  lt(other: unknown): boolean {
    return Number(this.text) < toNumber(other);
  }
  leq(other: unknown): boolean {
    return Number(this.text) <= toNumber(other);
  }
}

function toNumber(value: unknown): number {
  return typeof value === 'number' || value instanceof ExactNumber ? Number(value) : Number.NaN;
}

/** The value of a JSON number: a number where it is written as its text, else the text itself. */
export function makeNumber(text: string): number | ExactNumber {
  const value = Number(text);
  return String(value) === text ? value : new ExactNumber(text);
}

let hasMetExact = false;

/** A JSON value as compact JSON, numbers as they stood in their table. */
export function stringifyExactly(value: unknown): string {
  hasMetExact = false;
  const json = JSON.stringify(value);
  return hasMetExact ? write(value) : json;
}

function write(value: unknown): string {
  if (value instanceof ExactNumber) return value.text;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => write(item ?? null)).join(',')}]`;
  const members = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}:${write(item)}`).join(',')}}`;
}
