/**
 * The features of a text that determine its token count: characters by class, and runs of one script. A word of twelve letters
 * has fewer tokens than three of four, so both are counted.
 */
export type TextFeatures = Float64Array;

const LATIN_LOWER = 0;
const LATIN_UPPER = 1;
const LATIN_OTHER = 2;
const CYRILLIC = 3;
const GREEK = 4;
const SEMITIC = 5;
const OTHER_LETTER = 6;
const HAN = 7;
const KANA = 8;
const HANGUL = 9;
const DIGIT = 10;
const SPACE = 11;
const LINE = 12;
const PUNCTUATION = 13;
const WIDE_PUNCTUATION = 14;
const SYMBOL = 15;
const SURROGATE = 16;
const CLASSES = 17;

/** Letters of one script form words together, whatever their case or accents. */
const WORD_OF_CLASS = [0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 11, 12];
const WORDS = 13;
const LONG_WORD = CLASSES + WORDS;

/** How many numbers describe a text. */
export const FEATURES = CLASSES + WORDS + 2;

/** Letters of a word beyond this many are counted again: long words consist of several tokens. */
const SHORT_WORD_LETTERS = 6;

/** First and last code unit of each class; anything outside is a symbol, or a letter of a script that is rare in the encodings. */
const RANGES: readonly (readonly [first: number, last: number, characterClass: number])[] = [
  [0x00, 0x1f, LINE],
  [0x20, 0x20, SPACE],
  [0x21, 0x7f, PUNCTUATION],
  [0x30, 0x39, DIGIT],
  [0x41, 0x5a, LATIN_UPPER],
  [0x61, 0x7a, LATIN_LOWER],
  [0x80, 0xbf, SYMBOL],
  [0xa0, 0xa0, SPACE],
  [0xc0, 0x2af, LATIN_OTHER],
  [0x2b0, 0x36f, SYMBOL],
  [0x370, 0x3ff, GREEK],
  [0x400, 0x52f, CYRILLIC],
  [0x530, 0x58f, OTHER_LETTER],
  [0x590, 0x8ff, SEMITIC],
  [0x900, 0x1dff, OTHER_LETTER],
  [0x1e00, 0x1eff, LATIN_OTHER],
  [0x1f00, 0x1fff, GREEK],
  [0x2000, 0x2bff, SYMBOL],
  [0x2c00, 0x2dff, OTHER_LETTER],
  [0x2e80, 0x2fff, HAN],
  [0x3000, 0x303f, WIDE_PUNCTUATION],
  [0x3040, 0x30ff, KANA],
  [0x3100, 0x312f, OTHER_LETTER],
  [0x3130, 0x318f, HANGUL],
  [0x3190, 0x9fff, HAN],
  [0xa000, 0xabff, OTHER_LETTER],
  [0xac00, 0xd7ff, HANGUL],
  [0xd800, 0xdfff, SURROGATE],
  [0xf900, 0xfaff, HAN],
  [0xff00, 0xff65, WIDE_PUNCTUATION],
  [0xff66, 0xff9f, KANA],
];

/** Counts features; `isJson` reads the text as the inside of a JSON string, where an escape is one character. */
export interface FeatureReader {
  /** Adds the features of `text` between two offsets to `into`. */
  add(into: TextFeatures, text: string, start: number, end: number, isJson: boolean): void;
}

/** A reader with its own class table (64 KB). */
export function createFeatureReader(): FeatureReader {
  const classOf = new Uint8Array(65_536).fill(SYMBOL);
  for (const [first, last, characterClass] of RANGES) classOf.fill(characterClass, first, last + 1);
  const wordOf = Uint8Array.from(WORD_OF_CLASS);
  return {
    add(into, text, start, end, isJson) {
      let previousWord = -1;
      let letters = 0;
      for (let offset = start; offset < end; offset++) {
        const code = text.charCodeAt(offset);
        let characterClass = classOf[code] as number;
        if (code === 0x5c && isJson) {
          const escaped = text.charCodeAt(++offset);
          if (escaped === 0x75) {
            offset += 4;
            characterClass = SYMBOL;
          } else if (classOf[escaped] === LATIN_LOWER) characterClass = LINE;
        }
        const word = wordOf[characterClass] as number;
        into[characterClass] = (into[characterClass] as number) + 1;
        if (word !== previousWord) {
          into[CLASSES + word] = (into[CLASSES + word] as number) + 1;
          previousWord = word;
          letters = 0;
        } else if (word <= 1 && ++letters >= SHORT_WORD_LETTERS) {
          into[LONG_WORD + word] = (into[LONG_WORD + word] as number) + 1;
        }
      }
    },
  };
}
