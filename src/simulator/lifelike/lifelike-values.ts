import { type Field, fitNumber, type NumberBounds, placeNumber, type ValueMaker } from '../answers/value-maker.ts';
import type { Sense } from '../lexicon/word-list.ts';
import { createDraft, type Draft } from './draft.ts';
import { findTotal } from './find-fields.ts';
import { guessLanguage, nameLanguage } from './guess-language.ts';
import { fitLabels } from './labels.ts';
import { readText } from './reading.ts';
import { countTexts, findText, isOwnSubject, writeText } from './write-text.ts';

const LEVELS: Readonly<Record<string, number>> = {
  none: 0,
  low: 0.1,
  minor: 0.2,
  medium: 0.45,
  moderate: 0.45,
  normal: 0.45,
  high: 0.8,
  major: 0.8,
  urgent: 0.95,
  critical: 1,
};

/**
 * Values made from the words of the row, as a reader would: right if its words are plain, wrong now and then, and always made up.
 * @param labels the values of the requested schema: a prompt of one message may define them beside the row
 */
export function createLifelikeValues(texts: readonly string[], draw: (name: string) => number, labels: readonly string[] = []): ValueMaker {
  const draft = createDraft(texts, labels);
  /** The confidence of the last choice; an answer gives its confidence after its label. */
  let margin: number | null = null;

  function chooseIndex(values: readonly unknown[], field: Field): number {
    const words = values.map((value) => String(value).toLowerCase());
    const affirmed = words.findIndex((word) => /^(?:yes|true|ja|да|はい|是)$/.test(word));
    if (values.length === 2 && affirmed >= 0) return isTrue(draft, field) ? affirmed : 1 - affirmed;
    if (/lang/i.test(field.name)) {
      const code = guessLanguage(draft.row.text);
      return words.findIndex((word) => word === code || word === nameLanguage(code).toLowerCase());
    }
    if (words.every((word) => word in LEVELS))
      return nearest(
        words.map((word) => LEVELS[word] as number),
        draft.urgency(),
      );
    const { scores, best, margin: lead } = fitLabels(values, draft);
    margin = lead;
    if (field.item > 0)
      return scores.map((score, index) => ({ score, index })).sort((one, other) => other.score - one.score)[field.item]?.index ?? best;
    // There is no evidence for any of them.
    return scores.every((score) => score === 0) ? -1 : best;
  }

  return {
    choose(values, field) {
      const index = chooseIndex(values, field);
      return values[index >= 0 ? index : Math.floor(draw(field.name) * values.length)];
    },
    sentiment: () => draft.feeling(),
    text: (field) => writeText(field, draft),
    number(field, bounds) {
      const share = readShare(field, draft);
      if (share !== null) return placeNumber(share, bounds);
      if (/confiden|certain|probab/i.test(field.name))
        return placeNumber(sureness(margin, draw(field.name)), { ...bounds, minimum: bounds.minimum ?? 0, maximum: bounds.maximum ?? 1 });
      const found = findNumber(field, bounds, draft);
      return found === null ? placeNumber(draw(field.name), bounds) : fitNumber(found, bounds);
    },
    boolean: (field) => isTrue(draft, field),
    countItems(field, values) {
      if (values === undefined) return countTexts(field, draft);
      const clear = fitLabels(values, draft).scores.filter((score) => score >= 1).length;
      return Math.max(1, Math.min(3, clear));
    },
    isAbsent: (field) => (isAmount(field) ? amountOf(field, draft) === null : findText(field, draft) === null),
  };
}

/** The position of a number between its bounds, as far as the words of the row show; null for another kind of number. */
function readShare({ name }: Field, { reading, urgency }: Draft): number | null {
  if (/sentiment|score|polarity|rating|stars|valence|satisf|quality|mood/i.test(name))
    return (Math.max(-1, Math.min(1, reading().sentiment * 1.25)) + 1) / 2;
  if (/urgen|priorit|severity/i.test(name)) return urgency();
  return /spam|toxic|risk/i.test(name) ? Math.min(1, (reading().subjects.get('spam') ?? 0) / 3) : null;
}

/** From one half (a toss) to nearly one. */
function sureness(margin: number | null, drawn: number): number {
  return Math.min(0.99, 0.5 + 0.44 * Math.sqrt(margin ?? drawn) + 0.06 * drawn);
}

const isAmount = ({ name }: Field) => /total|amount|price|sum$|cost|gross|due$/i.test(name);

function amountOf(field: Field, draft: Draft): number | null {
  return field.list === undefined ? findTotal(draft.row.text) : (draft.positions()[field.item]?.amount ?? null);
}

/** The number in the row: an amount, or the first within the bounds. */
function findNumber(field: Field, { minimum = 0, maximum = Number.POSITIVE_INFINITY }: NumberBounds, draft: Draft): number | null {
  if (isAmount(field)) return amountOf(field, draft);
  if (!/count|number|age|year|quantity|hours|days|size/i.test(field.name)) return null;
  return (draft.row.text.match(/\d+/g) ?? []).map(Number).find((value) => value >= minimum && value <= maximum) ?? null;
}

const LONGEST_QUESTION = 160;

/** Whether the row is about the name and description of a field. */
function isTrue({ instructions, lower, reading, feeling, urgency, correction }: Draft, { name, description }: Field): boolean {
  // Without a description, a short prompt is the question itself.
  const question = description ?? (instructions.length <= LONGEST_QUESTION ? instructions : '');
  const asked = `${name.replaceAll('_', ' ')} ${question}`.toLowerCase();
  if (/urgent|urgency/.test(asked)) return urgency() >= 0.5;
  if (/mistake|\berror in|correct|typo/.test(asked)) return correction().changes.length > 0;
  if (/\bwants?\b|\brequests?\b|\bneeds? (?:an? )?(?:answer|reply|action)/.test(asked))
    return /[?？]|か。/.test(lower()) || reading().subjects.has('task') || reading().subjects.has('wish');
  if (/\bquestion|\basks/.test(asked)) return /[?？]|か。/.test(lower());
  if (/positive|satisf|recommend|happy/.test(asked)) return feeling() === 'positive';
  if (/angry|negative|complain|unhappy|upset/.test(asked) && reading().sentiment < -0.5) return true;
  return speaksOf(asked, lower(), reading().subjects);
}

/** The words of a field's question: the same for all rows of a job, so they are cached. */
interface Asked {
  readonly subjects: readonly Sense[];
  readonly words: readonly string[];
}

const MOST_ASKED = 200;
const kept = new Map<string, Asked>();

function speaksOf(text: string, lower: string, subjects: ReadonlyMap<Sense, number>): boolean {
  let asked = kept.get(text);
  if (asked === undefined) {
    asked = {
      subjects: [...readText(text).subjects.keys()].filter(isOwnSubject),
      words: text.split(/\W/, 4).filter((word) => word.length > 3),
    };
    if (kept.size >= MOST_ASKED) kept.clear();
    kept.set(text, asked);
  }
  return asked.subjects.some((subject) => (subjects.get(subject) ?? 0) >= 1) || asked.words.some((word) => lower.includes(word));
}

function nearest(steps: readonly number[], value: number): number {
  const distances = steps.map((step) => Math.abs(step - value));
  return distances.indexOf(Math.min(...distances));
}
