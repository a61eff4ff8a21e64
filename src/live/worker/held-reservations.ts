import type { LearnedTokens } from '../limits/learned-tokens.ts';

/** The tokens that a call in flight has taken from the limit; they may decrease during the call. */
export interface HeldReservation {
  readonly tokens: number;
}

/** What calls of this process have taken from the token limit. */
export interface HeldReservations {
  hold(call: { readonly promptTokens: number; readonly capTokens: number | null; readonly tokens: number }): HeldReservation;
  release(held: HeldReservation): void;
  /** What the first answers show applies to calls in flight as well. @returns the tokens that become free */
  revalue(chargesCap: boolean): number;
}

interface Held extends HeldReservation {
  readonly promptTokens: number;
  readonly capTokens: number | null;
  tokens: number;
}

export function createHeldReservations(learned: LearnedTokens): HeldReservations {
  const all = new Set<Held>();
  return {
    hold(call) {
      const held = { ...call };
      all.add(held);
      return held;
    },
    release: (held) => void all.delete(held as Held),
    revalue(chargesCap) {
      let freed = 0;
      for (const held of all) {
        const fewer = learned.estimate({ ...held, chargesCap });
        if (fewer >= held.tokens) continue;
        freed += held.tokens - fewer;
        held.tokens = fewer;
      }
      return freed;
    },
  };
}
