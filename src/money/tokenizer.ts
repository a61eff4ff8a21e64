import { createRequire } from 'node:module';
import path from 'node:path';

/** The byte pair encodings of OpenAI's chat models. */
export type EncodingName = 'o200k_base' | 'cl100k_base';

/** Counts the tokens of a text exactly. */
export type CountTokens = (text: string) => number;

const OLD_MODELS = /^(ft:)?(gpt-3\.5|gpt-35|gpt-4(?![\d.]*[1-9o])|text-embedding)/i;

/** The encoding of a model: cl100k for 3.5, 4, 4-turbo and embeddings, o200k for everything since (OpenAI’s cookbook on counting tokens, seen 2026-11-21). */
export function encodingOf(model: string): EncodingName {
  return OLD_MODELS.test(model) ? 'cl100k_base' : 'o200k_base';
}

type Encoding = typeof import('gpt-tokenizer/encoding/o200k_base');

/** Not by `import`, which never lets go: an encoding is 17 MB of small objects that every collection of memory would go through. */
const require = createRequire(import.meta.url);

/**
 * Loads an encoding (0.2 to 0.7 s the first time). Row text may spell a special token like `<|endoftext|>`; the API reads it as plain text, and
 * so does the count.
 */
export function loadTokenizer(encoding: EncodingName): CountTokens {
  const { countTokens } = require(`gpt-tokenizer/encoding/${encoding}`) as Encoding;
  const options = { disallowedSpecial: new Set<string>() };
  return (text) => {
    if (text.length <= PIECE_CHARACTERS) return countTokens(text, options);
    let tokens = 0;
    for (let start = 0; start < text.length; ) {
      const end = findCut(text, start);
      tokens += countTokens(text.slice(start, end), options);
      start = end;
    }
    return tokens;
  };
}

const PACKAGE_FOLDER = path.join(path.sep, 'node_modules', 'gpt-tokenizer', path.sep);

/** Lets go of all encodings, once nobody holds what `loadTokenizer` gave; they can be loaded again. */
export function unloadTokenizers(): void {
  for (const file of Object.keys(require.cache)) {
    if (file.includes(PACKAGE_FOLDER)) delete require.cache[file];
  }
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
