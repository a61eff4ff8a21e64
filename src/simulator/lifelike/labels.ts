import { cutEnding, findCues } from '../lexicon/find-cues.ts';
import type { Sense } from '../lexicon/word-list.ts';
import type { Draft } from './draft.ts';
import { readText } from './reading.ts';

/** The meaning of a label, as far as its name and the prompt show. */
interface Label {
  /** How well each subject fits it, 0..1. */
  readonly subjects: ReadonlyMap<Sense, number>;
  /** Its own words and those of its description that belong to no subject, with endings cut. */
  readonly words: readonly string[];
  readonly ownWords: number;
  /** Its sentiment, -1..1; null if it has none. */
  readonly feeling: number | null;
  /** Whether it is the label for everything else. */
  readonly isRest: boolean;
}

interface LabelSet {
  readonly labels: readonly Label[];
  /** Whether the labels are steps from bad to good. */
  readonly isScale: boolean;
}

/** How a text fits each of some labels. */
export interface Fit {
  readonly scores: readonly number[];
  /** The label to choose, and the confidence, 0..1. */
  readonly best: number;
  readonly margin: number;
}

const REST =
  /^(?:other|others|rest|misc|miscellaneous|general|unknown|none|unclear|neutral|ham|normal|no|not_spam|legitimate|safe|sonstige\w*|andere\w*|прочее|другое|その他|其他|其它)$/i;
const LETTER = /[\p{L}\p{N}]/u;
const WORD = /[\p{L}\p{N}]+/gu;
/** Below this nothing fits, and the label for everything else is chosen. */
const LEAST_SCORE = 0.6;
const MOST_LABEL_SETS = 100;
const known = new Map<string, Map<string, LabelSet>>();

/** How a row fits the values: by sentiment if they are a scale, else by subjects and by shared words. */
export function fitLabels(values: readonly unknown[], row: Pick<Draft, 'lower' | 'reading' | 'instructions'>): Fit {
  const { labels, isScale } = readLabels(values, row.instructions);
  if (isScale) return fitScale(labels, row.reading().sentiment);
  const { subjects } = row.reading();
  const lower = row.lower();
  const scores = labels.map((label) => {
    if (label.isRest) return LEAST_SCORE;
    let score = 0;
    for (const [subject, share] of label.subjects) score += share * Math.min(3, subjects.get(subject) ?? 0);
    let shared = 0;
    for (const word of label.words) if (holdsWord(lower, word)) shared += 1;
    return score + (0.8 * shared) / Math.sqrt(label.ownWords || 1);
  });
  const fit = rank(scores);
  return labels[fit.best]?.isRest === true ? { ...fit, margin: fit.margin / 4 } : fit;
}

/** Whether a word in the text starts like this. */
function holdsWord(text: string, word: string): boolean {
  for (let index = text.indexOf(word); index >= 0; index = text.indexOf(word, index + 1)) {
    if (index === 0 || !LETTER.test(text[index - 1] as string)) return true;
  }
  return false;
}

function fitScale(labels: readonly Label[], sentiment: number): Fit {
  return rank(labels.map(({ feeling }) => 1 - Math.abs(sentiment - (feeling ?? 0))));
}

function rank(scores: readonly number[]): Fit {
  let best = 0;
  for (let index = 1; index < scores.length; index += 1) if ((scores[index] as number) > (scores[best] as number)) best = index;
  let second = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < scores.length; index += 1) if (index !== best) second = Math.max(second, scores[index] as number);
  const top = scores[best] ?? 0;
  return { scores, best, margin: second === Number.NEGATIVE_INFINITY ? 1 : Math.min(1, (top - second) / (1 + Math.abs(second))) };
}

/** The labels of a job are the same for all its rows, so they are cached. */
function readLabels(values: readonly unknown[], instructions: string): LabelSet {
  let sets = known.get(instructions);
  if (sets === undefined) {
    if (known.size >= MOST_LABEL_SETS) known.clear();
    sets = new Map();
    known.set(instructions, sets);
  }
  const key = values.join('\n');
  let set = sets.get(key);
  if (set === undefined) {
    set = makeLabelSet(values.map(String), instructions.split('\n'));
    sets.set(key, set);
  }
  return set;
}

function makeLabelSet(values: readonly string[], lines: readonly string[]): LabelSet {
  const drafts = values.map((value) => readLabel(value, findDescription(value, lines)));
  const named = (subject: Sense) => drafts.filter(({ subjects }) => subjects.has(subject)).length;
  // A subject of several labels says less about each.
  const labels = drafts.map((label) => ({
    ...label,
    subjects: new Map([...label.subjects].map(([subject, share]) => [subject, share / Math.sqrt(named(subject))])),
  }));
  const feelings = labels.flatMap(({ feeling }) => (feeling === null || feeling === 0 ? [] : [Math.sign(feeling)]));
  return { labels, isScale: feelings.includes(1) && feelings.includes(-1) };
}

function readLabel(value: string, description: string): Label {
  const name = value
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replaceAll(/[_-]/g, ' ')
    .toLowerCase();
  const isRest = REST.test(value.trim());
  const reading = readText(name);
  const subjects = new Map<Sense, number>();
  const note = (text: string, share: number) => {
    for (const { meaning } of findCues(text)) {
      for (const subject of meaning.subjects.filter((one) => one !== 'task'))
        subjects.set(subject, Math.max(share, subjects.get(subject) ?? 0));
    }
  };
  if (!isRest) {
    note(name, 1);
    // If the name has its own meaning, the other subjects of its description count less.
    note(description.toLowerCase(), subjects.size > 0 ? 0.2 : 0.8);
  }
  const own = (name.match(WORD) ?? []).map(cutEnding);
  const described = isRest ? [] : (description.toLowerCase().match(WORD) ?? []).filter((word) => word.length > 3).map(cutEnding);
  const saysFeeling = reading.cues.some(({ meaning }) => meaning.feeling !== 0 || meaning.isFair);
  const stars = /^([1-5])(?: stars?)?$/.exec(name)?.[1];
  return {
    subjects,
    words: [...new Set([...own, ...described])].filter((word) => findCues(word).every(({ meaning }) => meaning.subjects.length === 0)),
    ownWords: own.length,
    feeling:
      stars !== undefined ? (Number(stars) - 3) / 2 : saysFeeling || isRest ? Math.max(-1, Math.min(1, reading.sentiment * 1.3)) : null,
    isRest,
  };
}

/** The prompt's description of a label: `label: words`, `label - words`. */
function findDescription(value: string, lines: readonly string[]): string {
  const pattern = new RegExp(`(?:^|[^\\p{L}\\p{N}])${value.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')}["'*\`]*\\s*[:=–-]\\s*(.*)`, 'u');
  for (const line of lines) {
    const found = pattern.exec(line)?.[1];
    if (found !== undefined) return found;
  }
  return '';
}
