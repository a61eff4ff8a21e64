import { setTimeout as delay } from 'node:timers/promises';
import { LockHeldError } from '../errors.ts';
import type { FoundHolder } from './lock-file.ts';
import { type ProcessIdentity, seeProcess } from './process-identity.ts';

/** How a holder signals that it is alive, and when others may stop believing it. */
export interface Heartbeat {
  readonly everyMs: number;
  /** A holder of which only the heartbeat is visible is replaced when that has not changed for this long, by the watcher's own monotonic clock. */
  readonly lostMs: number;
}

export const HEARTBEAT: Heartbeat = { everyMs: 10_000, lostMs: 60_000 };

/** How to wait for the lock. */
export interface LockWaiting {
  /** `wait`: as long as another run of the job is active. `fail` waits only while it cannot tell whether one is. */
  readonly ifRunning: 'fail' | 'wait';
  /** Milliseconds that never decrease, whatever happens to the clock. */
  readonly monotonicMs: () => number;
  /** Resolves after this many milliseconds; rejects with the signal's reason if it fires first. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Fires when the wait is to end. */
  readonly stopping: AbortSignal;
  /** Called every few seconds with what is waited for. */
  readonly tell: (message: string) => void;
}

/** Judges a holder in real time and reports nothing. */
export function waitSilently(stopping: AbortSignal): LockWaiting {
  return {
    ifRunning: 'fail',
    monotonicMs: () => performance.now(),
    sleep: (milliseconds, signal) => delay(milliseconds, undefined, { signal }),
    stopping,
    tell: () => undefined,
  };
}

export interface HolderWatchOptions {
  readonly directory: string;
  readonly job: string;
  readonly identity: ProcessIdentity;
  readonly heartbeat: Heartbeat;
  readonly waiting: LockWaiting;
}

/** Finds out whether a holder is alive, as seen from this process. */
export interface HolderWatch {
  /**
   * Checks once. A holder that cannot be seen counts as gone when its file has not changed for the longest time between heartbeats.
   * @throws LockHeldError if it is alive and should not be waited for
   */
  isGone(found: FoundHolder): boolean;
  /** Waits until the next check, and reports now and then what for. @throws the reason of `stopping` */
  pause(): Promise<void>;
}

/** Checks on a silent holder within the time after which it counts as gone; pauses in between are short compared with that. */
const LOOKS = 60;
const LONGEST_PAUSE_MS = 1_000;
const TELL_EVERY_MS = 5_000;

interface Seen {
  readonly found: FoundHolder;
  readonly isAlive: boolean;
  /** How long it was watched without a change. Time in which nobody checked, as on a machine that slept, counts for no more than a few checks. */
  silentMs: number;
  lookedAtMs: number;
}

export function createHolderWatch(options: HolderWatchOptions): HolderWatch {
  const { heartbeat, identity, waiting } = options;
  const pauseMs = Math.min(heartbeat.lostMs / LOOKS, LONGEST_PAUSE_MS);
  let seen: Seen | null = null;
  let toldAtMs = Number.NEGATIVE_INFINITY;

  function look(found: FoundHolder): Seen {
    const sight = seeProcess(found.holder, identity);
    const lookedAtMs = waiting.monotonicMs();
    if (sight !== 'unseen') return { found, isAlive: sight === 'alive', silentMs: sight === 'dead' ? heartbeat.lostMs : 0, lookedAtMs };
    if (seen?.found.content !== found.content) return { found, isAlive: seen !== null, silentMs: 0, lookedAtMs };
    return { ...seen, silentMs: seen.silentMs + Math.min(lookedAtMs - seen.lookedAtMs, 5 * pauseMs), lookedAtMs };
  }

  return {
    isGone(found) {
      seen = look(found);
      if (seen.isAlive && waiting.ifRunning === 'fail') throw makeHeldError(found, options);
      return seen.silentMs >= heartbeat.lostMs;
    },
    async pause() {
      const nowMs = waiting.monotonicMs();
      if (seen !== null && nowMs - toldAtMs >= TELL_EVERY_MS) {
        toldAtMs = nowMs;
        waiting.tell(describeWait(seen, options));
      }
      await waiting.sleep(pauseMs, waiting.stopping);
    },
  };
}

function describeWait({ found, silentMs }: Seen, { job, identity, heartbeat }: HolderWatchOptions): string {
  const who = describeHolder(found);
  if (seeProcess(found.holder, identity) !== 'unseen') return `Waiting for ${who}, which runs job ${job}`;
  const silent = `no heartbeat for ${Math.floor(silentMs / 1000)} s; after ${heartbeat.lostMs / 1000} s its place is taken`;
  return `Waiting for ${who}, which holds job ${job} and cannot be seen from here: ${silent}`;
}

function makeHeldError(found: FoundHolder, { job, directory, identity, heartbeat }: HolderWatchOptions): LockHeldError {
  const isSeen = seeProcess(found.holder, identity) !== 'unseen';
  const where = isSeen ? '' : ', which cannot be seen from here, but whose heartbeat continues';
  const when = isSeen ? 'when that process has ended' : `${heartbeat.lostMs / 1000} s after its last heartbeat`;
  return new LockHeldError(
    `job ${job} is being run by ${describeHolder(found)}${where} (lock in ${directory}); it can be taken over ${when}: wait for it (--if-running wait), or end it`,
    found.holder,
  );
}

export function describeHolder({ holder }: FoundHolder): string {
  return holder.pid === 0 ? 'a process whose lock file is damaged' : `process ${holder.pid} on ${holder.host}`;
}
