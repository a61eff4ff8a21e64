import { BytePairEncodingCore } from 'gpt-tokenizer/BytePairEncodingCore';
import { CL100K_TOKEN_SPLIT_REGEX, O200K_TOKEN_SPLIT_REGEX } from 'gpt-tokenizer/encodingParams/constants';
import { openWords } from './open-words.ts';
import { readRankTable } from './rank-table.ts';

/** The byte pair encodings of OpenAI's chat models. */
export type EncodingName = 'o200k_base' | 'cl100k_base';

/** Counts the tokens of a text exactly. */
export type CountTokens = (text: string) => number;

const OLD_MODELS = /^(ft:)?(gpt-3\.5|gpt-35|gpt-4(?![\d.]*[1-9o])|text-embedding)/i;

/** The encoding of a model: cl100k for 3.5, 4, 4-turbo and embeddings, o200k for everything since (OpenAI’s cookbook on counting tokens, seen 2026-11-21). */
export function encodingOf(model: string): EncodingName {
  return OLD_MODELS.test(model) ? 'cl100k_base' : 'o200k_base';
}

const SPLITS: Readonly<Record<EncodingName, RegExp>> = { o200k_base: O200K_TOKEN_SPLIT_REGEX, cl100k_base: CL100K_TOKEN_SPLIT_REGEX };

/**
 * Opens an encoding: its ranks are next to this file, as made by `scripts/ranks.mjs`. Row text may contain a special token like
 * `<|endoftext|>`; the API reads it as plain text, and so does the count.
 */
export function loadTokenizer(encoding: EncodingName): CountTokens {
  const ranks = readRankTable(openWords(new URL(`./${encoding}.ranks`, import.meta.url)));
  const core = new BytePairEncodingCore({ bytePairRankDecoder: [], tokenSplitRegex: SPLITS[encoding] });
  // Its lookup; from a list of ranks it would build the same as a Map and an array, which takes ten times as long as everything else.
  Object.defineProperties(core, {
    bytePairStringRankEncoder: { value: ranks },
    bytePairNonUtfSortedEncoder: { get: () => ranks.byteTokens },
  });
  return (text) => {
    if (text.length <= PIECE_CHARACTERS) return core.countNative(text);
    let tokens = 0;
    for (let start = 0; start < text.length; ) {
      const end = findCut(text, start);
      tokens += core.countNative(text.slice(start, end));
      start = end;
    }
    return tokens;
  };
}

/** The tokenizer's time grows with the square of an unbroken run of letters (5 s for 40,000 characters of Thai): long texts are cut. */
const PIECE_CHARACTERS = 1000;

/** Before the last single space, where tokens end anyway; in text without spaces anywhere, which costs a token in a thousand at most. */
function findCut(text: string, start: number): number {
  const limit = start + PIECE_CHARACTERS;
  if (limit >= text.length) return text.length;
  for (let offset = limit - 1; offset > start + 1; offset--) {
    if (text[offset] === ' ' && isInk(text[offset - 1]) && isInk(text[offset + 1])) return offset;
  }
  const isInsidePair = (text.charCodeAt(limit) & 0xfc00) === 0xdc00;
  return isInsidePair ? limit - 1 : limit;
}

function isInk(character: string | undefined): boolean {
  return character !== undefined && character.trim() !== '';
}
