import { type Meaning, makeMeaning } from './meaning.ts';
import { SENSES, type Sense, type WordList } from './word-list.ts';

/** Scripts with spaces: whole words, prefixes, suffixes, and phrases by their first word. */
export interface SpacedWords {
  readonly whole: ReadonlyMap<string, Meaning>;
  readonly beginnings: ReadonlyMap<string, Meaning>;
  readonly endings: ReadonlyMap<string, Meaning>;
  readonly phrases: ReadonlyMap<string, readonly Phrase[]>;
}

export interface Phrase {
  readonly text: string;
  readonly isOpen: boolean;
  readonly meaning: Meaning;
}

/** Scripts without spaces: all words by the code of their first character, the longest first. */
export type DenseWords = ReadonlyMap<number, readonly Phrase[]>;

/** Every word of the lists with all its meanings. */
function gather(lists: readonly WordList[]): readonly (readonly [string, Meaning])[] {
  const gathered = new Map<string, Sense[]>();
  for (const list of lists) {
    for (const sense of SENSES) {
      for (const word of new Set((list[sense] ?? '').split(/\s+/).filter(Boolean))) {
        const senses = gathered.get(word);
        if (senses === undefined) gathered.set(word, [sense]);
        else if (!senses.includes(sense)) senses.push(sense);
      }
    }
  }
  // Thousands of words have a few dozen meanings.
  const meanings = new Map<string, Meaning>();
  return [...gathered].map(([word, senses]) => {
    const name = senses.join(' ');
    const meaning = meanings.get(name) ?? makeMeaning(senses);
    meanings.set(name, meaning);
    return [word, meaning];
  });
}

export function indexSpacedWords(lists: readonly WordList[]): SpacedWords {
  const whole = new Map<string, Meaning>();
  const beginnings = new Map<string, Meaning>();
  const endings = new Map<string, Meaning>();
  const phrases = new Map<string, Phrase[]>();
  for (const [word, meaning] of gather(lists)) {
    const isOpen = word.endsWith('*');
    const text = (isOpen ? word.slice(0, -1) : word).replaceAll('_', ' ');
    const first = findFirst(text);
    if (text !== first) phrases.set(first, [...(phrases.get(first) ?? []), { text, isOpen, meaning }]);
    else if (word.startsWith('-')) endings.set(text.slice(1), meaning);
    else if (isOpen) beginnings.set(text, meaning);
    else whole.set(text, meaning);
  }
  for (const list of phrases.values()) list.sort((one, other) => other.text.length - one.text.length);
  return { whole, beginnings, endings, phrases };
}

/** What a phrase begins with, up to a space or comma. */
function findFirst(text: string): string {
  if (text.startsWith("n't")) return "n't";
  const [word = ''] = text.split(' ', 1);
  return word.split(',', 1)[0] || text;
}

export function indexDenseWords(list: WordList): DenseWords {
  const words = new Map<number, Phrase[]>();
  for (const [text, meaning] of gather([list])) {
    const first = text.charCodeAt(0);
    words.set(first, [...(words.get(first) ?? []), { text, isOpen: true, meaning }]);
  }
  for (const list of words.values()) list.sort((one, other) => other.text.length - one.text.length);
  return words;
}
