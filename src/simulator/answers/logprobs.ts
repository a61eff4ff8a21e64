import { hashFraction } from '../hash.ts';

/** One token of an answer as returned by the API when `logprobs` are requested (reference, seen 2026-11). */
export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
  readonly top_logprobs: readonly unknown[];
}

/** Pieces of up to five letters with the blank before them, else single characters. */
const TOKEN = /\s?[\p{L}\p{N}]{1,5}|[\s\S]/gu;

/** Cuts a text into tokens and draws how sure the model was of each: 50 % at least. The same seed gives the same. */
export function makeLogprobs(text: string, drawSeed: string): readonly TokenLogprob[] {
  return (text.match(TOKEN) ?? []).map((token, index) => ({
    token,
    logprob: Math.log(1 - hashFraction(drawSeed, `logprob ${index}`) / 2),
    bytes: [...Buffer.from(token)],
    top_logprobs: [],
  }));
}
