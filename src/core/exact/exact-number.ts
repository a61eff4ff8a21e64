/**
 * A number of a table that JavaScript would write differently: beyond 2^53, with trailing zeros, with an exponent, `-0`. It keeps
 * its text; in comparisons and arithmetic of templates it is the nearest JavaScript number.
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
  /** What `JSON.stringify` uses if it does not know this class: the text, rather than a different number. */
  toJSON(): string {
    hasMetExact = true;
    return this.text;
  }
  // How Liquid compares values it does not know.
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

/** The value of a JSON number: a number if JavaScript writes it the same way, else its text. */
export function makeNumber(text: string): number | ExactNumber {
  const value = Number(text);
  return String(value) === text ? value : new ExactNumber(text);
}

let hasMetExact = false;

/** A JSON value as compact JSON, with numbers as in their table. */
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
