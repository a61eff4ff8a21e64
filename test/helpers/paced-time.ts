/**
 * Time for programs that pace themselves: it passes at its usual pace, `speed` times faster, but in short steps, one each time this process checks it.
 * On a slow or busy machine time is slow, and the same happens in each of its seconds.
 */
export interface PacedTime {
  readonly clock: () => Date;
  readonly monotonicMs: () => number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  stop(): void;
}

/** The longest step, before `speed`; on a quiet machine steps are about that long. */
const LONGEST_STEP_MS = 2;

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

export function createPacedTime(speed: number): PacedTime {
  const startMs = Date.now();
  const sleepers = new Set<Sleeper>();
  let nowMs = 0;
  let lookedAt = performance.now();
  const looking = setInterval(() => {
    const at = performance.now();
    nowMs += Math.min(at - lookedAt, LONGEST_STEP_MS) * speed;
    lookedAt = at;
    const due = [...sleepers].filter(({ dueMs }) => dueMs <= nowMs).toSorted((a, b) => a.dueMs - b.dueMs);
    for (const { wake } of due) wake();
  }, 1);
  return {
    clock: () => new Date(startMs + Math.floor(nowMs)),
    monotonicMs: () => nowMs,
    async sleep(milliseconds, signal) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        const wake = () => {
          sleepers.delete(sleeper);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        const sleeper = { dueMs: nowMs + milliseconds, wake };
        sleepers.add(sleeper);
        signal.addEventListener('abort', wake);
      });
      signal.throwIfAborted();
    },
    stop: () => clearInterval(looking),
  };
}
