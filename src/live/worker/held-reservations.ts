import type { LearnedTokens } from '../limits/learned-tokens.ts';

/** The tokens a call under way has taken from the limit; they may become fewer while it is under way. */
export interface HeldReservation {
  readonly tokens: number;
}

/** What calls of this process have taken from the limit of tokens. */
export interface HeldReservations {
  hold(call: { readonly promptTokens: number; readonly capTokens: number | null; readonly tokens: number }): HeldReservation;
  release(held: HeldReservation): void;
  /** What the first answers tell holds for calls under way as well. @returns the tokens that are free by it */
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
