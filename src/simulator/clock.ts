/** The simulator's time: it runs by itself, or stands still until it is moved. Instants are milliseconds since 1970. */
export interface SimulatorClock {
  now(): number;
  /** Resolves at the instant, at once if it has passed, or early if `hurry` aborts. May be awaited only inside `track`. Rejects when the clock is stopped. */
  waitUntil(instantMs: number, hurry?: AbortSignal): Promise<void>;
  /** Runs work which `advance` waits for, and whose pauses it skips. */
  track(work: () => Promise<void>): Promise<void>;
  /** Moves time forward, stopping at every instant that is waited for, and resolves when the work due by then is done. */
  advance(durationMs: number): Promise<void>;
  /** Ends all waits, now and later: they reject. */
  stop(): void;
}

interface Waiter {
  readonly dueMs: number;
  readonly release: () => void;
  readonly refuse: () => void;
  timer: NodeJS.Timeout | undefined;
}

/** The longest time of a timer; the rest is waited for with further timers. */
const LONGEST_TIMER_MS = 0x7fffffff;

/** `isVirtual`: no timer is ever set, time starts at `now` and moves only by `advance`. */
export function createClock({ now, isVirtual }: { readonly now: () => number; readonly isVirtual: boolean }): SimulatorClock {
  const waiters = new Set<Waiter>();
  const startMs = now();
  let skippedMs = 0;
  let busy = 0;
  let isStopped = false;
  const currentMs = (): number => (isVirtual ? startMs : now()) + skippedMs;

  function arm(waiter: Waiter): void {
    if (isVirtual) return;
    const onTimer = (): void => (currentMs() >= waiter.dueMs ? waiter.release() : arm(waiter));
    waiter.timer = setTimeout(onTimer, Math.min(Math.max(0, waiter.dueMs - currentMs()), LONGEST_TIMER_MS));
  }

  function waitUntil(dueMs: number, hurry?: AbortSignal): Promise<void> {
    if (!isStopped && (currentMs() >= dueMs || hurry?.aborted === true)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const end = (finish: () => void) => (): void => {
        waiters.delete(waiter);
        clearTimeout(waiter.timer);
        hurry?.removeEventListener('abort', waiter.release);
        finish();
      };
      const waiter: Waiter = {
        dueMs,
        release: end(resolve),
        refuse: end(() => reject(new Error('the simulator is closed'))),
        timer: undefined,
      };
      if (isStopped) return waiter.refuse();
      waiters.add(waiter);
      hurry?.addEventListener('abort', waiter.release);
      arm(waiter);
    });
  }

  /** Waits until no tracked work is computing: it has ended, or waits for a later instant. */
  async function settle(): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve));
    while (busy > waiters.size);
  }

  return {
    now: currentMs,
    waitUntil,
    async track(work) {
      busy += 1;
      try {
        await work();
      } finally {
        busy -= 1;
      }
    },
    async advance(durationMs) {
      await settle();
      const targetMs = currentMs() + durationMs;
      for (;;) {
        const nextMs = Math.min(targetMs, ...[...waiters].map((waiter) => waiter.dueMs));
        skippedMs += Math.max(0, nextMs - currentMs());
        const due = [...waiters].filter((waiter) => waiter.dueMs <= currentMs());
        if (due.length === 0) return;
        for (const waiter of due) waiter.release();
        await settle();
      }
    },
    stop() {
      isStopped = true;
      for (const waiter of [...waiters]) waiter.refuse();
    },
  };
}
