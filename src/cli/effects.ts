import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Effects } from '../run/effects.ts';

const ID_LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** The real clock, timers and dice. */
export function makeEffects(): Effects {
  return {
    clock: () => new Date(),
    sleep: async (milliseconds, signal) => {
      signal.throwIfAborted();
      await delay(milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted());
    },
    random: Math.random,
    randomId: () => Array.from(randomBytes(10), (byte) => ID_LETTERS[byte % ID_LETTERS.length]).join(''),
    processIdentity: { pid: process.pid, host: hostname(), startTime: readStartTime(process.pid) },
  };
}

/** When a process started, in the kernel's ticks since boot; null where the kernel does not tell. */
export function readStartTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}
