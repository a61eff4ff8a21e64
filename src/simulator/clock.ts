/** The simulator's time: it runs by itself, or stands still until it is moved. Instants are milliseconds since 1970. */
export interface SimulatorClock {
  now(): number;
  /** Resolves at the instant, or at once if it has passed. To be awaited inside `track` only. Rejects when the clock is stopped. */
  waitUntil(instantMs: number): Promise<void>;
  /** Runs work which `advance` waits for, and whose pauses it skips. */
  track(work: () => Promise<void>): Promise<void>;
  /** Moves time forward, stopping at every instant somebody waits for, and resolves when the work due by then is done. */
  advance(durationMs: number): Promise<void>;
  /** Ends all waiting, now and later: it rejects. */
  stop(): void;
}

interface Waiter {
  readonly dueMs: number;
  readonly release: () => void;
  readonly refuse: (reason: Error) => void;
  readonly timer: NodeJS.Timeout | undefined;
}

/** `isVirtual`: no timer is ever set, time moves by `advance` alone. */
export function createClock({ now, isVirtual }: { readonly now: () => number; readonly isVirtual: boolean }): SimulatorClock {
  const waiters = new Set<Waiter>();
  const frozenMs = now();
  let skippedMs = 0;
  let busy = 0;
  let isStopped = false;
  const currentMs = (): number => (isVirtual ? frozenMs : now()) + skippedMs;

  function waitUntil(dueMs: number): Promise<void> {
    const remainingMs = dueMs - currentMs();
    if (isStopped) return Promise.reject(new Error('the simulator is closed'));
    if (remainingMs <= 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      // A timer cannot be longer than 2^31 ms; at its end the rest is waited for anew.
      const timer = isVirtual ? undefined : setTimeout(() => wake(waiter), Math.min(remainingMs, 0x7fffffff));
      const waiter: Waiter = { dueMs, release: resolve, refuse: reject, timer };
      waiters.add(waiter);
    });
  }

  function wake(waiter: Waiter): void {
    waiters.delete(waiter);
    clearTimeout(waiter.timer);
    if (currentMs() >= waiter.dueMs) waiter.release();
    else waitUntil(waiter.dueMs).then(waiter.release, waiter.refuse);
  }

  /** Waits until no tracked work computes any more: it has ended, or waits for a later instant. */
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
        const due = [...waiters].filter((waiter) => waiter.dueMs <= targetMs);
        const nextMs = Math.min(...due.map((waiter) => waiter.dueMs));
        skippedMs += Math.max(0, Math.min(nextMs, targetMs) - currentMs());
        if (due.length === 0) return;
        for (const waiter of due) if (waiter.dueMs <= currentMs()) wake(waiter);
        await settle();
      }
    },
    stop() {
      isStopped = true;
      for (const waiter of waiters) {
        clearTimeout(waiter.timer);
        waiter.refuse(new Error('the simulator is closed'));
      }
      waiters.clear();
    },
  };
}
