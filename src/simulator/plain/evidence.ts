/** The input of an answer: the words of the prompt, and the draw that settles ties. */
export interface Evidence {
  /** The text of the last message: the row. */
  readonly text: string;
  /** How often each word (lower case, ending cut) occurs in it. */
  readonly words: ReadonlyMap<string, number>;
  /** The text of all earlier messages: instructions, descriptions of labels. */
  readonly instructions: string;
  /** A draw from [0, 1) for this answer; the same name gives the same number. */
  readonly draw: (name: string) => number;
}

const POSITIVE =
  /^(good|great|love|loved|excellent|well|nice|perfect|happy|best|comfort|recommend|beautiful|amaz|enjoy|thank|fast|like|wonderful|fantastic)/;
const NEGATIVE =
  /^(bad|poor|terribl|awful|hate|broke|broken|worst|disappoint|slow|return|wrong|problem|never|refund|cheap|annoy|fail|horribl|uncomfort|sad)/;
const NEGATIONS = new Set(['not', 'no', "isn't", "don't", 'cannot']);
const FALLBACK_VALUES = new Set(['other', 'neutral', 'unknown', 'none', 'unclear']);
const MOST_LABEL_LISTS = 100;
/** Letters of a row that are read; more would not change the choice. */
const LONGEST_READ_TEXT = 20_000;

interface LabelWords {
  readonly own: readonly string[];
  readonly described: readonly string[];
}
const labelLists = new Map<string, readonly LabelWords[]>();

/** Splits a text into its words: lower case, common English endings cut; a run of Chinese or Japanese letters counts as one. */
export function readWords(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];
  return words.map(cutEnding);
}

/** Gathers the evidence of a prompt whose last message is the row; words are counted on first use. */
export function createEvidence(texts: readonly string[], draw: (name: string) => number): Evidence {
  const text = texts.at(-1) ?? '';
  let words: ReadonlyMap<string, number> | undefined;
  return {
    text,
    get words() {
      words ??= countWords(text.slice(0, LONGEST_READ_TEXT));
      return words;
    },
    get instructions() {
      return texts.slice(0, -1).join('\n');
    },
    draw,
  };
}

function countWords(text: string): ReadonlyMap<string, number> {
  const words = new Map<string, number>();
  for (const word of readWords(text)) words.set(word, (words.get(word) ?? 0) + 1);
  return words;
}

/** From -1 to 1: the sentiment of the words of the row, 0 if there is none. */
export function readSentiment({ words }: Evidence): number {
  let sum = 0;
  let found = 0;
  let isNegated = false;
  for (const word of words.keys()) {
    const value = POSITIVE.test(word) ? 1 : NEGATIVE.test(word) ? -1 : 0;
    if (value !== 0) found += 1;
    sum += isNegated ? -value : value;
    isNegated = NEGATIONS.has(word);
  }
  return found === 0 ? 0 : Math.max(-1, Math.min(1, sum / found));
}

/**
 * Picks the value whose words, or whose description in the instructions (`value: words`), occur most in the row. Without any evidence a
 * value such as `other` or `neutral`, else one by draw.
 */
export function chooseValue(values: readonly unknown[], evidence: Evidence, name: string): unknown {
  const labels = readLabelWords(values, evidence.instructions);
  const sentiment = labels.some(({ own }) => own[0] === 'positive') ? readSentiment(evidence) : 0;
  let best: number[] = [];
  let bestScore = 0;
  labels.forEach((label, index) => {
    const score =
      scoreLabel(label, evidence) + (label.own[0] === 'positive' ? sentiment * 9 : label.own[0] === 'negative' ? -sentiment * 9 : 0);
    if (score > bestScore) best = [];
    if (score >= bestScore && score > 0) best.push(index);
    bestScore = Math.max(score, bestScore);
  });
  if (best.length === 0) {
    const fallback = values.findIndex((value) => FALLBACK_VALUES.has(String(value).toLowerCase()));
    if (fallback >= 0) return values[fallback];
    best = values.map((_, index) => index);
  }
  return values[best[Math.floor(evidence.draw(name) * best.length)] ?? 0];
}

function scoreLabel({ own, described }: LabelWords, { words }: Evidence): number {
  let score = 0;
  for (const word of own) score += 3 * (words.get(word) ?? 0);
  for (const word of described) score += words.has(word) ? 1 : 0;
  return score / (own.length || 1);
}

/** The words of each label are the same for all rows of a job, so they are cached. */
function readLabelWords(values: readonly unknown[], instructions: string): readonly LabelWords[] {
  const key = JSON.stringify([values, instructions]);
  const kept = labelLists.get(key);
  if (kept !== undefined) return kept;
  if (labelLists.size >= MOST_LABEL_LISTS) labelLists.clear();
  const lines = instructions.split('\n');
  const labels = values.map((value) => {
    const label = String(value);
    const line = lines.find((text) => new RegExp(`(^|\\W)${escapePattern(label)}["'*]*\\s*[:=–-]`).test(text));
    const described = line === undefined ? [] : readWords(line.slice(line.indexOf(label) + label.length)).filter((word) => word.length > 3);
    return { own: readWords(label.replace(/([a-z])([A-Z])/g, '$1 $2').replaceAll('_', ' ')), described };
  });
  labelLists.set(key, labels);
  return labels;
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

function cutEnding(word: string): string {
  if (word.length > 5 && word.endsWith('ing')) return word.slice(0, -3);
  if (word.length > 4 && (word.endsWith('ed') || word.endsWith('es'))) return word.slice(0, -2);
  if (word.length > 3 && word.endsWith('s') && !word.endsWith('ss')) return word.slice(0, -1);
  return word;
}
