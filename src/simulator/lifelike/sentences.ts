import type { Cue } from '../lexicon/find-cues.ts';

/** A sentence of a row, and its speaker if the row is a conversation. */
export interface Sentence {
  readonly speaker: string | null;
  readonly text: string;
  /** Where it stands in the row. */
  readonly from: number;
  readonly to: number;
}

const END = /[。！？]+|[.!?]+(?=\s|$)/g;
const SPEAKER = /^(\p{Lu}[\p{L}' .-]{0,24}?|\p{Lo}{1,12})(?: ?\([^)]{1,20}\))?[:：]\s*(?=\S)/u;
/** Longer texts are read up to here. */
const MOST_SENTENCES = 60;
const LONGEST_SENTENCE = 140;
/** A shorter sentence says little, such as thanks; a Chinese or Japanese character counts as three letters. */
const SHORTEST_SENTENCE = 15;

/** The sentences of a text in order; a line that starts with a name and a colon is spoken by that name, as are the following lines. */
export function splitSentences(text: string): readonly Sentence[] {
  const sentences: Sentence[] = [];
  let speaker: string | null = null;
  let start = 0;
  for (const line of text.split('\n')) {
    const said = /[:：]/.test(line) ? SPEAKER.exec(line) : null;
    if (said !== null) speaker = said[1] as string;
    let from = said?.[0].length ?? 0;
    const add = (to: number) => {
      const sentence = line.slice(from, to).trim();
      if (sentence !== '') sentences.push({ speaker, text: sentence, from: start + from, to: start + to });
      from = to;
    };
    for (const match of line.matchAll(END)) add(Math.max(from, match.index + match[0].length));
    add(line.length);
    if (sentences.length >= MOST_SENTENCES) break;
    start += line.length + 1;
  }
  return sentences;
}

/**
 * The most important sentences, `most` of them, in order: the first has an advantage, and in a conversation so has the last.
 * @param cues of the row
 */
export function pickSentences(sentences: readonly Sentence[], most: number, cues: readonly Cue[]): readonly Sentence[] {
  const last = sentences.length - 1;
  const ranked = sentences.map((sentence, index) => {
    const told = Math.min(3, cuesOf(sentence, cues).length);
    const place = (index === 0 ? 2.5 : 0) + (index === last && sentence.speaker !== null ? 1 : 0);
    return { sentence, index, weight: told + place - (weightOf(sentence.text) < SHORTEST_SENTENCE ? 2 : 0) };
  });
  ranked.sort((one, other) => other.weight - one.weight || one.index - other.index);
  const picked = ranked.slice(0, most).sort((one, other) => one.index - other.index);
  return picked.map(({ sentence }) => sentence);
}

/** Sentences that request or promise an action. */
export function findTasks(sentences: readonly Sentence[], cues: readonly Cue[]): readonly Sentence[] {
  return sentences.filter(
    (sentence) => !/[?？]$/.test(sentence.text) && cuesOf(sentence, cues).some(({ meaning }) => meaning.subjects.includes('task')),
  );
}

function weightOf(text: string): number {
  return text.charCodeAt(0) >= 0x3040 ? 3 * text.length : text.length;
}

function cuesOf({ from, to }: Sentence, cues: readonly Cue[]): readonly Cue[] {
  return cues.filter((cue) => cue.from >= from && cue.from < to);
}

/** Sentences as a text, each speaker named once. */
export function joinSentences(sentences: readonly Sentence[]): string {
  let before: string | null = null;
  const parts = sentences.map(({ speaker, text }) => {
    const named = speaker !== null && speaker !== before ? `${speaker}: ${shorten(text)}` : shorten(text);
    before = speaker;
    return named;
  });
  return parts.join(/[\u3040-\u30ff\u3400-\u9fff]/.test(parts.join('')) ? '' : ' ');
}

/** A text of limited length, cut between words. */
export function shorten(text: string, most = LONGEST_SENTENCE): string {
  if (text.length <= most) return text;
  const cut = text.slice(0, most);
  const space = cut.lastIndexOf(' ');
  return `${(space > most / 2 ? cut.slice(0, space) : cut).replace(/[\ud800-\udbff]$/, '')}…`;
}
