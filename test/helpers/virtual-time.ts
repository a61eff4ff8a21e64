/** Time that stands still while anybody works and jumps to the next end of a sleep once all are asleep: the same on a machine of any speed. */
export interface VirtualTime {
  readonly clock: () => Date;
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** So many work from now on; whoever sleeps beside them is woken when all of them sleep. */
  expect(workers: number): void;
  /** One of them has come to its end. */
  leave(): void;
}

export function createVirtualTime(startMs: number): VirtualTime {
  const sleepers: { readonly dueMs: number; readonly wake: () => void }[] = [];
  let nowMs = startMs;
  let workers = 1;

  function wakeNext(): void {
    if (sleepers.length === 0 || sleepers.length < workers) return;
    nowMs = Math.max(nowMs, Math.min(...sleepers.map(({ dueMs }) => dueMs)));
    const due = sleepers.filter(({ dueMs }) => dueMs <= nowMs);
    for (const sleeper of due) sleepers.splice(sleepers.indexOf(sleeper), 1);
    for (const { wake } of due) wake();
  }

  return {
    clock: () => new Date(nowMs),
    async sleep(milliseconds, signal) {
      signal.throwIfAborted();
      if (milliseconds <= 0) return;
      await new Promise<void>((wake) => {
        sleepers.push({ dueMs: nowMs + milliseconds, wake });
        wakeNext();
      });
    },
    expect(count) {
      workers = count;
    },
    leave() {
      workers -= 1;
      wakeNext();
    },
  };
}
