/** One answered call, with what the provider says was left when it came in. */
export interface ProbedAnswer {
  readonly remainingTokens: number;
  readonly tokensPerMinute: number;
  /** When the call came in. */
  readonly atMs: number;
  readonly usedTokens: number;
  /** Its prompt and its whole cap. */
  readonly cappedTokens: number;
}

/** So little of the limit is left that it cannot be full: what it loses is what is charged. */
export const LOW_SHARE = 0.1;
/** So many calls are compared, once as many that came in later are answered too: answers do not come in the order of their calls. */
export const COMPARED_CALLS = 30;
/** Charged so much more than calls even reserve, the limit is used by others as well. */
export const OTHERS_FACTOR = 1.5;

/** Finds out from the headers of calls in a row whether the provider charges what calls use, or what they reserve. */
export interface ChargeProbe {
  /** @returns what it charges, when that has just become clear */
  observe(answer: ProbedAnswer): 'actual' | 'reserved' | null;
}

export function createChargeProbe(): ChargeProbe {
  let start: ProbedAnswer | null = null;
  let later: ProbedAnswer[] = [];

  function decide(from: ProbedAnswer, calls: readonly ProbedAnswer[]): 'actual' | 'reserved' | null {
    const to = calls.at(-1) as ProbedAnswer;
    const refilled = ((to.atMs - from.atMs) * to.tokensPerMinute) / 60_000;
    const charged = from.remainingTokens - to.remainingTokens + refilled;
    const used = calls.reduce((sum, { usedTokens }) => sum + usedTokens, 0);
    const capped = calls.reduce((sum, { cappedTokens }) => sum + cappedTokens, 0);
    if (charged > capped * OTHERS_FACTOR) return null;
    return charged > (used + capped) / 2 ? 'reserved' : 'actual';
  }

  return {
    observe(answer) {
      if (start !== null && answer.atMs <= start.atMs) return null;
      if (answer.remainingTokens > answer.tokensPerMinute * LOW_SHARE) {
        start = null;
        return null;
      }
      if (start === null) {
        start = answer;
        later = [];
        return null;
      }
      later.push(answer);
      if (later.length < 2 * COMPARED_CALLS) return null;
      const decided = decide(start, later.toSorted((a, b) => a.atMs - b.atMs).slice(0, COMPARED_CALLS));
      start = null;
      return decided;
    },
  };
}
