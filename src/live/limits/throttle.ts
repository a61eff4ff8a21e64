import type { Usage } from '../../core/usage.ts';
import { createChargeProbe } from './charge-probe.ts';
import { type Bound, block, correct, keepWithin, type RateState, type Rates, reserve, UNUSED } from './gcra.ts';
import { createLearnedTokens } from './learned-tokens.ts';
import { type AdvertisedLimits, readAdvertisedLimits } from './rate-headers.ts';
import {
  FIRST_BACK_OFF_MS,
  FULL_BURST_SECONDS,
  FULL_SHARE,
  LEARNING_HORIZON_MS,
  LEAST_BURST_SECONDS,
  LEAST_SHARE,
  LONGEST_BACK_OFF_MS,
  REFUSALS_TO_DOUBT,
  RELAX_MS,
  SHARE_AFTER_REFUSAL,
} from './throttle-rules.ts';

/**
 * How a provider charges its token limit. `actual`: what a call used; `reserved`: its prompt and its whole cap, on arrival; `header`: what
 * it reports with every response.
 */
export type TokenCharging = 'actual' | 'reserved' | 'header';

/** A call's place in the limits. */
export interface Reservation {
  readonly promptTokens: number;
  /** Null without a cap. */
  readonly capTokens: number | null;
  /** Tokens taken from the limit. */
  readonly tokens: number;
  readonly waitMs: number;
  readonly leavesAtMs: number;
  readonly bound: Bound | null;
  /** Nothing was taken, because answers in flight may show that the call can leave earlier: another reservation is made after LEARNING_HORIZON_MS. */
  readonly isFarOff: boolean;
}

export interface Throttle {
  /** Takes one request and the tokens it may need; the call leaves `waitMs` from now. `capTokens` is null without a cap. */
  reserve(call: { readonly promptTokens: number; readonly capTokens: number | null }): Reservation;
  /** Whether something since the reservation forbids leaving now: it is to be cancelled, and another one made. */
  isBlocked(): boolean;
  /** The call never left: its reservation is returned. */
  cancel(reservation: Reservation): void;
  /** The call ended; `usage` is null if unknown, `headers` if no response was received. */
  correct(
    reservation: Reservation,
    answer: { readonly usage: Usage | null; readonly isBilled: boolean; readonly headers: Headers | null },
  ): void;
  /** The provider refused the call as too early: all calls wait, as long as it says (null: it says nothing). Only the request was used. */
  refuse(reservation: Reservation, refusal: RateRefusal): void;
  readonly view: ThrottleView;
}

export interface RateRefusal {
  readonly retryAfterMs: number | null;
  /** Whether the token limit was meant. */
  readonly isAboutTokens: boolean;
  readonly headers: Headers | null;
}

/** The current limits; null is unknown. */
export interface ThrottleView {
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  readonly tokenCharging: TokenCharging;
  /** How long nothing may leave; 0 if something may. */
  readonly blockedMs: number;
}

export interface ThrottleOptions {
  /** The job's limits; those reported by the provider count too, the lower of both applies. */
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  /** How the provider charges, if known. */
  readonly tokenCharging?: TokenCharging;
  /** Milliseconds that never decrease. */
  readonly monotonicMs: () => number;
  /** Uniform in 0..1. */
  readonly random: () => number;
}

/** Values from headers, valid until the next headers. */
type Told = Pick<AdvertisedLimits, 'requestsPerMinute' | 'tokensPerMinute' | 'requestBurstSeconds' | 'tokenBurstSeconds'>;

/** Keeps calls within the account's requests and tokens per minute, and as close to them as possible. In memory, for one process. */
export function createThrottle(options: ThrottleOptions): Throttle {
  const learned = createLearnedTokens();
  const probe = createChargeProbe();
  let advertised: Told = { requestsPerMinute: null, tokensPerMinute: null, requestBurstSeconds: null, tokenBurstSeconds: null };
  let state: RateState = UNUSED;
  let tokenCharging: TokenCharging = options.tokenCharging ?? 'actual';
  let share = FULL_SHARE;
  let burstSeconds = FULL_BURST_SECONDS;
  let changedAtMs = Number.NEGATIVE_INFINITY;
  let refusalsInARow = 0;
  let tokenRefusals = 0;
  /** The reservation of each call without an end; it may have become smaller since. */
  const open = new Map<Reservation, number>();
  let openTokens = 0;

  const limits = () => ({
    requestsPerMinute: lower(options.requestsPerMinute, advertised.requestsPerMinute),
    tokensPerMinute: lower(options.tokensPerMinute, advertised.tokensPerMinute),
  });

  function rates(): Rates {
    const { requestsPerMinute, tokensPerMinute } = limits();
    return {
      requests: makeRate(requestsPerMinute, advertised.requestBurstSeconds),
      tokens: makeRate(tokensPerMinute, advertised.tokenBurstSeconds),
    };
  }

  function makeRate(limit: number | null, toldBurstSeconds: number | null) {
    if (limit === null) return { perMinute: null, burst: 1 };
    const seconds = Math.max(LEAST_BURST_SECONDS, ((toldBurstSeconds ?? FULL_BURST_SECONDS) * burstSeconds) / FULL_BURST_SECONDS);
    return { perMinute: limit * share, burst: Math.max(1, (limit * seconds) / 60) };
  }

  /** @param atMs the time the headers refer to: when a call arrived; what came after it is already counted here */
  function follow(headers: Headers | null, atMs: number): AdvertisedLimits | null {
    if (headers === null) return null;
    const told = readAdvertisedLimits(headers);
    learned.hear(told);
    const before = limits();
    advertised = {
      requestsPerMinute: told.requestsPerMinute ?? advertised.requestsPerMinute,
      tokensPerMinute: told.tokensPerMinute ?? advertised.tokensPerMinute,
      requestBurstSeconds: told.requestBurstSeconds ?? advertised.requestBurstSeconds,
      tokenBurstSeconds: told.tokenBurstSeconds ?? advertised.tokenBurstSeconds,
    };
    const current = rates();
    // Calls that left before a limit was known count from now on.
    const requests = before.requestsPerMinute === null ? open.size : 0;
    const tokens = before.tokensPerMinute === null ? openTokens : 0;
    state = correct(state, current, { requests, tokens });
    if (tokenCharging === 'header' && told.remainingTokens !== null && current.tokens.perMinute !== null) {
      // Whatever is not answered yet may or may not be included in the remainder.
      const used = Math.max(0, current.tokens.burst - told.remainingTokens) + openTokens;
      const atMostMs = options.monotonicMs() + (used * 60_000) / current.tokens.perMinute;
      state = { ...state, tokensUsedUntilMs: Math.min(state.tokensUsedUntilMs, atMostMs) };
    }
    state = keepWithin(state, current, { requests: told.remainingRequests, tokens: told.remainingTokens }, atMs);
    return told;
  }

  /** Headers show it sooner than refusals would, when little is left. */
  function judgeCharges(
    { remainingTokens, tokensPerMinute, atMs }: AdvertisedLimits & { readonly atMs: number },
    { inputTokens, outputTokens }: Usage,
    capTokens: number,
  ): void {
    if (tokenCharging === 'header' || remainingTokens === null || tokensPerMinute === null) return;
    const tokens = { usedTokens: inputTokens + outputTokens, cappedTokens: inputTokens + capTokens };
    tokenCharging = probe.observe({ remainingTokens, tokensPerMinute, atMs, ...tokens }) ?? tokenCharging;
  }

  /** Refusals that arrive together count as one. */
  function tighten(nowMs: number, isAboutTokens: boolean): void {
    if (nowMs < state.blockedUntilMs) return;
    changedAtMs = nowMs;
    refusalsInARow += 1;
    share = Math.max(LEAST_SHARE, share * SHARE_AFTER_REFUSAL);
    burstSeconds = Math.max(LEAST_BURST_SECONDS, burstSeconds / 2);
    tokenRefusals += isAboutTokens ? 1 : 0;
    if (tokenCharging === 'actual' && tokenRefusals >= REFUSALS_TO_DOUBT) tokenCharging = 'reserved';
  }

  /** @returns the tokens it held at the end */
  function close(reservation: Reservation): number {
    const tokens = open.get(reservation) ?? reservation.tokens;
    open.delete(reservation);
    openTokens -= tokens;
    return tokens;
  }

  /** What the first answers show applies to calls in flight as well: what was reserved in excess for them is free at once. */
  function revalue(): void {
    let freed = 0;
    for (const [reservation, tokens] of open) {
      const fewer = learned.estimate({ ...reservation, chargesCap: tokenCharging === 'reserved' });
      if (fewer >= tokens) continue;
      open.set(reservation, fewer);
      freed += tokens - fewer;
    }
    openTokens -= freed;
    if (tokenCharging !== 'reserved') state = correct(state, rates(), { requests: 0, tokens: -freed });
  }

  function relax(nowMs: number): void {
    if (share === FULL_SHARE || nowMs - changedAtMs < RELAX_MS) return;
    changedAtMs = nowMs;
    share = Math.min(FULL_SHARE, share / SHARE_AFTER_REFUSAL);
    burstSeconds = Math.min(FULL_BURST_SECONDS, burstSeconds * 2);
  }

  return {
    reserve(call) {
      const nowMs = options.monotonicMs();
      relax(nowMs);
      const tokens = learned.estimate({ ...call, chargesCap: tokenCharging === 'reserved' });
      const reserved = reserve(state, rates(), tokens, nowMs);
      const { waitMs, bound } = reserved;
      const isFarOff = learned.isLearning && waitMs > LEARNING_HORIZON_MS && bound !== 'back-off';
      const reservation = { ...call, tokens, waitMs, leavesAtMs: nowMs + waitMs, bound, isFarOff };
      if (isFarOff) return reservation;
      state = reserved.state;
      open.set(reservation, tokens);
      openTokens += tokens;
      return reservation;
    },
    isBlocked: () => options.monotonicMs() < state.blockedUntilMs,
    cancel(reservation) {
      if (reservation.isFarOff) return;
      const tokens = close(reservation);
      state = correct(state, rates(), { requests: -1, tokens: -tokens });
    },
    correct(reservation, { usage, isBilled, headers }) {
      const { promptTokens, capTokens, leavesAtMs } = reservation;
      const tokens = close(reservation);
      const { isLearning } = learned;
      if (usage !== null) learned.learn(promptTokens, usage);
      const used = usage !== null ? usage.inputTokens + usage.outputTokens : isBilled ? tokens : 0;
      if (tokenCharging === 'actual') state = correct(state, rates(), { requests: 0, tokens: used - tokens });
      if (isBilled) refusalsInARow = 0;
      const told = follow(headers, leavesAtMs);
      if (isLearning) revalue();
      if (told !== null && usage !== null && capTokens !== null) judgeCharges({ ...told, atMs: leavesAtMs }, usage, capTokens);
    },
    refuse(reservation, { retryAfterMs, isAboutTokens, headers }) {
      const nowMs = options.monotonicMs();
      const tokens = close(reservation);
      state = correct(state, rates(), { requests: 0, tokens: -tokens });
      tighten(nowMs, isAboutTokens);
      const told = follow(headers, nowMs);
      const backOffMs = Math.min(FIRST_BACK_OFF_MS * 2 ** (refusalsInARow - 1), LONGEST_BACK_OFF_MS) * (1 - options.random() / 4);
      const resetMs = (isAboutTokens ? told?.resetTokensMs : told?.resetRequestsMs) ?? Number.POSITIVE_INFINITY;
      state = block(state, nowMs + (retryAfterMs ?? Math.min(backOffMs, resetMs)));
    },
    get view() {
      return { ...limits(), tokenCharging, blockedMs: Math.max(0, state.blockedUntilMs - options.monotonicMs()) };
    },
  };
}

function lower(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b);
}
