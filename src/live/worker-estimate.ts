/** Tokens as the provider counted them for one call. */
export interface CallTokens {
  readonly input: number;
  readonly output: number;
}

/** Output is reserved as learned once so many answers are known; before that, as capped. */
const ANSWERS_TO_LEARN = 50;
const ANSWERS_REMEMBERED = 200;
/** A body without a cap, of which nothing is known yet. */
const UNKNOWN_OUTPUT_TOKENS = 1024;
const BYTES_PER_TOKEN = 3.5;

/** What one call will take from the token limit, learned from the calls before it: a worker sees bodies, not prompts. */
export class CallEstimate {
  #bytes = 0;
  #inputTokens = 0;
  readonly #outputs: number[] = [];
  #next = 0;

  /** Tokens to reserve for a body. `outputCap` is null where the body sets none. */
  reserve(bodyBytes: number, outputCap: number | null): number {
    const perByte = this.#bytes > 0 ? this.#inputTokens / this.#bytes : 1 / BYTES_PER_TOKEN;
    const capped = outputCap ?? UNKNOWN_OUTPUT_TOKENS;
    const output = this.#outputs.length < ANSWERS_TO_LEARN ? capped : Math.min(capped, this.#mostOutput());
    return Math.ceil(bodyBytes * perByte) + output;
  }

  learn(bodyBytes: number, tokens: CallTokens): void {
    this.#bytes += bodyBytes;
    this.#inputTokens += tokens.input;
    this.#outputs[this.#next % ANSWERS_REMEMBERED] = tokens.output;
    this.#next += 1;
  }

  /** What 19 of 20 answers stay below. */
  #mostOutput(): number {
    const sorted = this.#outputs.toSorted((left, right) => left - right);
    return sorted[Math.floor(sorted.length * 0.95)] as number;
  }
}
