/** What requests allow for their answers, as far as their text shows. */
export interface AllowedAnswer {
  /** The highest cap among them, and how many have one. */
  readonly capTokens: number;
  readonly capped: number;
  readonly choices: number;
  readonly hasProbabilities: boolean;
}

export const NOTHING_ALLOWED: AllowedAnswer = { capTokens: 0, capped: 0, choices: 1, hasProbabilities: false };

/** Envelope, usage, safety results, and whatever gateways add. */
export const ANSWER_FRAME_BYTES = 64 * 1024;
/** A token is four bytes of English, up to a hundred of blanks; a two-byte character escaped as `\uXXXX` takes six. */
const BYTES_PER_TOKEN = 128;
/** With its probability, and those of twenty alternatives. */
const BYTES_PER_PROBABLE_TOKEN = 4_096;
/** Whatever the cap: eight times the longest answer in English. While it is judged and written it is in memory about ten times. */
const MAX_SAID_BYTES = 4 * 2 ** 20;
const MAX_PROBABLE_BYTES = 30 * 2 ** 20;
/** More than any model writes (models of 2026-11), for requests without a cap. */
const UNCAPPED_TOKENS = 128_000;

/** Continues over the bodies of requests. Quotes in a row's text are escaped there, so no text can be mistaken for a cap. */
export function readAllowed(text: string, sofar: AllowedAnswer = NOTHING_ALLOWED): AllowedAnswer {
  let { capTokens, capped, choices } = sofar;
  for (const [, tokens] of text.matchAll(/"max_(?:completion_|output_)?tokens"\s*:\s*(\d{1,9})\b/g)) {
    capped += 1;
    capTokens = Math.max(capTokens, Number(tokens));
  }
  for (const [, count] of text.matchAll(/"n"\s*:\s*(\d{1,3})\b/g)) choices = Math.max(choices, Number(count));
  return { capTokens, capped, choices, hasProbabilities: sofar.hasProbabilities || /"(top_)?logprobs"\s*:\s*(true|[1-9])/.test(text) };
}

/** The maximum bytes of one answer: what was allowed, plus what is echoed of the request. */
export function boundAnswerBytes(allowed: AllowedAnswer, asked: { readonly requests: number; readonly requestBytes: number }): number {
  const isCapped = allowed.capped >= asked.requests;
  const tokens = (isCapped ? allowed.capTokens : Math.max(allowed.capTokens, UNCAPPED_TOKENS)) * allowed.choices;
  const said = allowed.hasProbabilities
    ? Math.min(tokens * BYTES_PER_PROBABLE_TOKEN, MAX_PROBABLE_BYTES)
    : Math.min(tokens * BYTES_PER_TOKEN, MAX_SAID_BYTES);
  return ANSWER_FRAME_BYTES + 2 * asked.requestBytes + said;
}
