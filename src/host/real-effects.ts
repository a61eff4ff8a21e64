import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { StartTimer } from '../core/timer.ts';
import { HEARTBEAT, type Heartbeat } from '../ledger/disk/holder-watch.ts';
import { readOwnIdentity } from '../ledger/disk/process-identity.ts';
import type { Effects } from '../run/open/effects.ts';

const ID_LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

export const startTimer: StartTimer = (milliseconds, fire) => {
  const timer = setTimeout(fire, milliseconds);
  return () => clearTimeout(timer);
};

/** `ROWMILL_TAKEOVER_MS`, for tests: after how many milliseconds without a heartbeat a lock holder counts as gone; all runs of a job need the same. */
function readHeartbeat(): Heartbeat | undefined {
  const lostMs = Number(process.env.ROWMILL_TAKEOVER_MS);
  return lostMs > 0 ? { lostMs, everyMs: (lostMs * HEARTBEAT.everyMs) / HEARTBEAT.lostMs } : undefined;
}

/** A Node timer longer than this, 25 days, fires at once. */
const MOST_DELAY_MS = 2 ** 31 - 1;

/** The real clock, timers and randomness. */
export function makeEffects(): Effects {
  return {
    clock: () => new Date(),
    monotonicMs: () => performance.now(),
    async sleep(milliseconds, signal) {
      signal.throwIfAborted();
      for (let left = milliseconds; ; left -= MOST_DELAY_MS) {
        await delay(Math.min(left, MOST_DELAY_MS), undefined, { signal }).catch(() => signal.throwIfAborted());
        if (left <= MOST_DELAY_MS) return;
      }
    },
    startTimer,
    random: Math.random,
    randomId: () => Array.from(randomBytes(10), (byte) => ID_LETTERS[byte % ID_LETTERS.length]).join(''),
    processIdentity: readOwnIdentity(),
    heartbeat: readHeartbeat(),
  };
}
