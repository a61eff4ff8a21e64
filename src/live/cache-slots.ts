import { addDelivery, type Delivery } from '../core/delivery.ts';
import type { Request } from '../core/request.ts';

/** How calls are delivered: the tier, and the part to keep in the prompt cache. */
export interface LiveDelivery {
  readonly serviceTier: Delivery['serviceTier'];
  /** Null leaves the prompt cache to the provider. Read at each call: a refusal changes it. */
  readonly cache: () => LiveCache | null;
}

export const AS_IT_IS: LiveDelivery = { serviceTier: null, cache: () => null };

/** The prompt cache settings of calls. */
export interface LiveCache {
  /** The end of the prefix worth caching in a request; null: there is none. */
  readonly findEnd: (request: Request) => number | null;
  /** The prefix of the keys under which it is cached. */
  readonly keyPrefix: string;
  /** The maximum number of calls that share it. */
  readonly calls: number;
}

/** A call's body, and a callback for its end. */
export interface Delivered {
  readonly body: string;
  /** @param hasAnswer whether what the call wrote can be found from now on */
  readonly end: (hasAnswer: boolean) => void;
}

/** Delivers calls one by one. */
export interface CallDelivery {
  /** Waits while what the call could read is still being written. @throws the signal's reason */
  take(request: Request, signal: AbortSignal): Promise<Delivered>;
  /** For calls made by other processes at an unknown time: takes keys in turn. */
  takeInTurn(request: Request): string;
}

/** About fifteen requests a minute with the same prefix and key find it on one machine; more are sent to others (cookbook, seen 2026-11-29). */
export const CALLS_PER_KEY_AND_MINUTE = 14;
/** Enough keys in turn for seven thousand calls a minute. */
const MOST_KEYS_IN_TURN = 500;
const MINUTE_MS = 60_000;
/** Entries are kept for half an hour after their last use; well before that they are treated as gone. */
const KEPT_MS = 1_500_000;

/** One key, and what is known about the prefix under it. */
interface Slot {
  readonly key: string;
  /** `open`: a call is writing it. */
  state: 'cold' | 'open' | 'warm';
  usedAtMs: number[];
  lastUsedMs: number;
}

interface Claim {
  readonly slot: Slot;
  /** Whether this call writes the prefix. */
  readonly isWriting: boolean;
}

const NOBODY = () => {};

export function createCallDelivery(delivery: LiveDelivery, monotonicMs: () => number): CallDelivery {
  const slots: Slot[] = [];
  let turn = 0;
  let awaitingChange: (() => void)[] = [];

  function tellChange(): void {
    const told = awaitingChange;
    awaitingChange = [];
    for (const tell of told) tell();
  }

  /** Takes a key for one more call; `wait` while the candidates are being written; null if all are used up for this minute. */
  function claimSlot(cache: LiveCache): Claim | 'wait' | null {
    const nowMs = monotonicMs();
    for (const slot of slots) {
      if (slot.state === 'warm' && nowMs - slot.lastUsedMs > KEPT_MS) slot.state = 'cold';
      slot.usedAtMs = slot.usedAtMs.filter((atMs) => nowMs - atMs < MINUTE_MS);
    }
    const warm = slots.find(({ state, usedAtMs }) => state === 'warm' && usedAtMs.length < CALLS_PER_KEY_AND_MINUTE);
    const slot = warm ?? slots.find(({ state }) => state === 'cold') ?? addSlot(cache);
    if (slot === null) return slots.some(({ state }) => state === 'open') ? 'wait' : null;
    slot.usedAtMs.push(nowMs);
    slot.lastUsedMs = nowMs;
    if (slot === warm) return { slot, isWriting: false };
    slot.state = 'open';
    return { slot, isWriting: true };
  }

  /** @returns null if there are as many as the calls can use */
  function addSlot(cache: LiveCache): Slot | null {
    if (slots.length >= Math.ceil(cache.calls / CALLS_PER_KEY_AND_MINUTE)) return null;
    const slot: Slot = { key: `${cache.keyPrefix}-${slots.length + 1}`, state: 'cold', usedAtMs: [], lastUsedMs: 0 };
    slots.push(slot);
    return slot;
  }

  async function waitForSlot(cache: LiveCache, signal: AbortSignal): Promise<Claim | null> {
    for (;;) {
      const claim = claimSlot(cache);
      if (claim !== 'wait') return claim;
      await new Promise<void>((resolve) => awaitingChange.push(resolve));
      signal.throwIfAborted();
    }
  }

  return {
    async take(request, signal) {
      const cache = delivery.cache();
      const { serviceTier } = delivery;
      if (cache === null) return { body: addDelivery(request, { serviceTier, cache: null }), end: NOBODY };
      const end = cache.findEnd(request);
      const claim = end === null ? null : await waitForSlot(cache, signal);
      if (claim === null) return { body: addDelivery(request, { serviceTier, cache: { end: null, key: null } }), end: NOBODY };
      const { slot, isWriting } = claim;
      return {
        body: addDelivery(request, { serviceTier, cache: { end, key: slot.key } }),
        end(hasAnswer) {
          if (!isWriting) return;
          slot.state = hasAnswer ? 'warm' : 'cold';
          tellChange();
        },
      };
    },
    takeInTurn(request) {
      const cache = delivery.cache();
      const { serviceTier } = delivery;
      const end = cache?.findEnd(request) ?? null;
      if (cache === null) return addDelivery(request, { serviceTier, cache: null });
      if (end === null) return addDelivery(request, { serviceTier, cache: { end: null, key: null } });
      turn = (turn % Math.min(Math.ceil(cache.calls / CALLS_PER_KEY_AND_MINUTE), MOST_KEYS_IN_TURN)) + 1;
      return addDelivery(request, { serviceTier, cache: { end, key: `${cache.keyPrefix}-${turn}` } });
    },
  };
}
