import { type Cue, findCues } from '../lexicon/find-cues.ts';
import { DENIAL } from '../lexicon/meaning.ts';
import type { Sense } from '../lexicon/word-list.ts';

/** What the words of a text show. */
export interface Reading {
  /** How much it speaks of each subject: 1 for a word about it. */
  readonly subjects: ReadonlyMap<Sense, number>;
  /** From -1 (awful) to 1 (great). */
  readonly sentiment: number;
  /** The words that showed a subject or sentiment, as written in the text. */
  readonly cues: readonly Cue[];
}

/** How close before a word its modifier must be. */
const NEAR_CHARACTERS = 24;
const NEAR_DENSE_CHARACTERS = 3;
/** German and Japanese negate after the word. */
const DENIED_AFTER = /(?: nicht\b|[^。、，,.]{0,4}?(?:ない|ません|なく|なかった|ず[、。に]))/y;

/** Reads a text (lower case): subjects add up; sentiments are inverted by negations, strengthened, weakened, and weigh more after a `but`. */
export function readText(text: string): Reading {
  const subjects = new Map<Sense, number>();
  const telling: Cue[] = [];
  let sum = 0;
  let fair = 0;
  let factor = 1;
  let weight = 1;
  let changedUntil = -1;
  let clause = 0;
  for (const cue of findCues(text)) {
    const isNewClause = cue.clause !== clause;
    if (isNewClause) weight = 1;
    if (isNewClause || cue.from > changedUntil) factor = 1;
    clause = cue.clause;
    const { meaning } = cue;
    if (meaning.isBut) weight = 1.4;
    if (meaning.factor !== null) {
      factor *= meaning.factor;
      changedUntil = cue.to + (isDense(text, cue.from) ? NEAR_DENSE_CHARACTERS : NEAR_CHARACTERS);
      continue;
    }
    const turned = isDeniedAfter(text, cue.to) ? factor * DENIAL : factor;
    if (meaning.isFair) fair += 1;
    for (const subject of meaning.subjects) subjects.set(subject, (subjects.get(subject) ?? 0) + (turned < 0 ? 0.4 : 1));
    sum += meaning.feeling * turned * weight;
    factor = 1;
    telling.push(cue);
  }
  const balance = sum / (1 + 0.8 * fair);
  return { subjects, sentiment: balance / Math.sqrt(balance * balance + 4), cues: telling };
}

function isDense(text: string, index: number): boolean {
  return text.charCodeAt(index) >= 0x3040;
}

function isDeniedAfter(text: string, index: number): boolean {
  const isMaybe = text.charCodeAt(index) === 32 ? text.charCodeAt(index + 1) === 110 : isDense(text, index);
  if (!isMaybe) return false;
  DENIED_AFTER.lastIndex = index;
  return DENIED_AFTER.test(text);
}
