import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { StartTimer } from '../core/timer.ts';
import { readOwnIdentity } from '../ledger/disk/process-identity.ts';
import type { Effects } from '../run/open/effects.ts';

const ID_LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

export const startTimer: StartTimer = (milliseconds, fire) => {
  const timer = setTimeout(fire, milliseconds);
  return () => clearTimeout(timer);
};

/** The real clock, timers and dice. */
export function makeEffects(): Effects {
  return {
    clock: () => new Date(),
    monotonicMs: () => performance.now(),
    sleep: async (milliseconds, signal) => {
      signal.throwIfAborted();
      await delay(milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted());
    },
    startTimer,
    random: Math.random,
    randomId: () => Array.from(randomBytes(10), (byte) => ID_LETTERS[byte % ID_LETTERS.length]).join(''),
    processIdentity: readOwnIdentity(),
  };
}
