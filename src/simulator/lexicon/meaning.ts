import type { Sense } from './word-list.ts';

/** The meaning of a word, in the form needed for reading a text. */
export interface Meaning {
  readonly subjects: readonly Sense[];
  /** From about -2 (awful) to 2 (great); 0 for none. */
  readonly feeling: number;
  /** Whether it calls something mediocre. */
  readonly isFair: boolean;
  /** By how much it changes the sentiment of the words after it; null for a word with a sentiment of its own. */
  readonly factor: number | null;
  readonly isBut: boolean;
}

/** Some subjects are good or bad news themselves. */
const FEELINGS: Readonly<Partial<Record<Sense, number>>> = {
  great: 2.2,
  good: 1,
  fair: 0,
  bad: -1.1,
  awful: -2.4,
  defect: -1.2,
  praise: 1,
};
const FACTORS: Readonly<Partial<Record<Sense, number>>> = { not: -0.75, but: 1, very: 1.3, slightly: 0.6 };
/** A negation after the word. */
export const DENIAL = -0.75;

const ONLY_FEELINGS: ReadonlySet<Sense> = new Set(['great', 'good', 'fair', 'bad', 'awful']);

/** Of several sentiments the strongest counts: a word for a defect is bad news once. */
export function makeMeaning(senses: readonly Sense[]): Meaning {
  const changes = senses.filter((sense) => sense in FACTORS);
  const feelings = senses.map((sense) => FEELINGS[sense] ?? 0);
  return {
    subjects: senses.filter((sense) => !ONLY_FEELINGS.has(sense) && !(sense in FACTORS)),
    feeling: feelings.reduce((strongest, feeling) => (Math.abs(feeling) > Math.abs(strongest) ? feeling : strongest), 0),
    isFair: senses.includes('fair'),
    factor: changes.length === senses.length ? (FACTORS[senses.find((sense) => sense in FACTORS) ?? 'but'] ?? 1) : null,
    isBut: senses.includes('but'),
  };
}
