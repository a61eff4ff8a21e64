/** One answered call, with what the provider reported as remaining when it arrived. */
export interface ProbedAnswer {
  readonly remainingTokens: number;
  readonly tokensPerMinute: number;
  /** When the call arrived. */
  readonly atMs: number;
  readonly usedTokens: number;
  /** Its prompt and its whole cap. */
  readonly cappedTokens: number;
}

/** With this little of the limit left it cannot be full: its decrease is what is charged. */
export const LOW_SHARE = 0.1;
/** How many calls are compared, once as many later ones are answered too: answers do not arrive in the order of their calls. */
export const COMPARED_CALLS = 30;
/** If this much more is charged than calls even reserve, others use the limit as well. */
export const OTHERS_FACTOR = 1.5;

/** Finds out from the headers of consecutive calls whether the provider charges real usage, or reservations. */
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
