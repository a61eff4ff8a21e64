/** The whole memory of the limiter: the instants, in milliseconds, until which each limit is used up. */
export interface RateState {
  readonly requestsUsedUntilMs: number;
  readonly tokensUsedUntilMs: number;
  /** Nothing may leave before this. */
  readonly blockedUntilMs: number;
}

/** The rates: units per minute, and the burst. A null rate limits nothing. */
export interface Rate {
  readonly perMinute: number | null;
  /** At least 1. */
  readonly burst: number;
}

export interface Rates {
  readonly requests: Rate;
  readonly tokens: Rate;
}

/** Which of them a call waits for longest; null if it may leave at once. */
export type Bound = 'requests' | 'tokens' | 'back-off';

export interface Reserved {
  readonly state: RateState;
  /** How long the call has to wait before it leaves. */
  readonly waitMs: number;
  readonly bound: Bound | null;
}

export const UNUSED: RateState = { requestsUsedUntilMs: 0, tokensUsedUntilMs: 0, blockedUntilMs: 0 };

/**
 * Takes one request and its tokens from both limits in one step (a GCRA, the generic cell rate algorithm, with reservations): it returns when the
 * call may leave, so nobody has to ask twice. In any window no more than its share of the rate plus one burst leaves. A call larger than the
 * burst passes when everything before it is paid off, instead of waiting forever.
 */
export function reserve(state: RateState, rates: Rates, tokens: number, nowMs: number): Reserved {
  const requestMs = msPer(rates.requests);
  const tokenMs = msPer(rates.tokens);
  const requestsAtMs = state.requestsUsedUntilMs - requestMs * (rates.requests.burst - 1);
  const tokensAtMs = state.tokensUsedUntilMs - tokenMs * Math.max(0, rates.tokens.burst - tokens);
  const leavesAtMs = Math.max(nowMs, state.blockedUntilMs, requestsAtMs, tokensAtMs);
  return {
    state: {
      // Used up from when the call leaves, not from now: time it waits for the other limit, or for a block, is not credit.
      requestsUsedUntilMs: Math.max(leavesAtMs, state.requestsUsedUntilMs) + requestMs,
      tokensUsedUntilMs: Math.max(leavesAtMs, state.tokensUsedUntilMs) + tokenMs * tokens,
      blockedUntilMs: state.blockedUntilMs,
    },
    waitMs: leavesAtMs - nowMs,
    bound:
      leavesAtMs <= nowMs ? null : leavesAtMs === state.blockedUntilMs ? 'back-off' : leavesAtMs === tokensAtMs ? 'tokens' : 'requests',
  };
}

/** Returns (negative) or takes in addition (positive) the difference between usage and reservation. */
export function correct(state: RateState, rates: Rates, { requests, tokens }: { requests: number; tokens: number }): RateState {
  return {
    ...state,
    requestsUsedUntilMs: state.requestsUsedUntilMs + msPer(rates.requests) * requests,
    tokensUsedUntilMs: state.tokensUsedUntilMs + msPer(rates.tokens) * tokens,
  };
}

/** Nothing leaves before that instant; a shorter block does not end a longer one. */
export function block(state: RateState, untilMs: number): RateState {
  return { ...state, blockedUntilMs: Math.max(state.blockedUntilMs, untilMs) };
}

/** The provider reports this many tokens as left: no more may leave at once. */
export function keepWithin(
  state: RateState,
  rates: Rates,
  remaining: { requests: number | null; tokens: number | null },
  nowMs: number,
): RateState {
  const least = (rate: Rate, left: number | null) => (left === null ? 0 : nowMs + msPer(rate) * Math.max(0, rate.burst - left));
  return {
    ...state,
    requestsUsedUntilMs: Math.max(state.requestsUsedUntilMs, least(rates.requests, remaining.requests)),
    tokensUsedUntilMs: Math.max(state.tokensUsedUntilMs, least(rates.tokens, remaining.tokens)),
  };
}

function msPer({ perMinute }: Rate): number {
  return perMinute === null ? 0 : 60_000 / perMinute;
}
