/** The byte pair encodings of OpenAI's chat models. */
export type EncodingName = 'o200k_base' | 'cl100k_base';

/** Counts the tokens of a text exactly. */
export type CountTokens = (text: string) => number;

const OLD_MODELS = /^(ft:)?(gpt-3\.5|gpt-35|gpt-4(?![\d.]*[1-9o])|text-embedding)/i;

/** The encoding of a model: cl100k for 3.5, 4, 4-turbo and embeddings, o200k for everything since (openai-contract section 12, seen 2026-11-21). */
export function encodingOf(model: string): EncodingName {
  return OLD_MODELS.test(model) ? 'cl100k_base' : 'o200k_base';
}

/**
 * Loads an encoding (about 0.7 s the first time). Row text may spell a special token like `<|endoftext|>`; the API reads it as plain text, and
 * so does the count.
 */
export async function loadTokenizer(encoding: EncodingName): Promise<CountTokens> {
  const { countTokens } =
    encoding === 'o200k_base' ? await import('gpt-tokenizer/encoding/o200k_base') : await import('gpt-tokenizer/encoding/cl100k_base');
  const options = { disallowedSpecial: new Set<string>() };
  return (text) => countTokens(text, options);
}
