/** The bounds of a number; absent ones are open. */
export interface NumberBounds {
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly isInteger: boolean;
  readonly multipleOf?: number | undefined;
}

/** A place in an answer that needs a value. */
export interface Field {
  /** The name of the property, or of the list it is an item of. */
  readonly name: string;
  /** The schema of the place. */
  readonly description?: string | undefined;
  /** Which item of the list around it, from 0; 0 outside of lists. */
  readonly item: number;
  /** The name of the list around it. */
  readonly list?: string | undefined;
}

/** Fills the places of an answer. Deterministic. */
export interface ValueMaker {
  /** One of the values, of which there is at least one. */
  choose(values: readonly unknown[], field: Field): unknown;
  /** One of the three usual words, if the prompt names none. */
  sentiment(): 'positive' | 'negative' | 'neutral';
  text(field: Field): string;
  number(field: Field, bounds: NumberBounds): number;
  boolean(field: Field): boolean;
  /** The length of a list that may have any. */
  countItems(field: Field, values: readonly unknown[] | undefined): number;
  /** Whether a nullable field is null. */
  isAbsent(field: Field): boolean;
}

/** Converts a position 0..1 between its bounds into the form required by the field. */
export function placeNumber(share: number, bounds: NumberBounds): number {
  const minimum = bounds.minimum ?? (bounds.maximum === undefined || bounds.maximum > 0 ? 0 : bounds.maximum - 10);
  const maximum = bounds.maximum ?? Math.max(minimum + 10, 1);
  return fitNumber(minimum + share * (maximum - minimum), { ...bounds, minimum, maximum });
}

/** The number nearest to the value within the bounds. */
export function fitNumber(value: number, { minimum, maximum, isInteger, multipleOf }: NumberBounds): number {
  const step = multipleOf ?? (isInteger ? 1 : 0);
  const least = minimum ?? Number.NEGATIVE_INFINITY;
  const most = maximum ?? Number.POSITIVE_INFINITY;
  if (step === 0) return Math.min(most, Math.max(least, Math.round(value * 100) / 100));
  const rounded = Math.round(Math.min(most, Math.max(least, value)) / step) * step;
  const inside = rounded < least ? rounded + step : rounded > most ? rounded - step : rounded;
  // Multiples of 0.1 and similar pick up a binary tail; rounding to twelve digits removes it.
  return Number(inside.toPrecision(12));
}
