/** The minimum time between repetitions of a message. */
const SAY_AGAIN_MS = 60_000;
/** Messages have few kinds; should there be many, the memory is cleared. */
const MOST_REMEMBERED = 50;

/** @returns a function that says whether it is time to repeat this: at most once a minute for messages of the same kind */
export function createRepeatGate(nowMs: () => number): (kind: string) => boolean {
  const saidAtMs = new Map<string, number>();
  return (kind) => {
    const lastMs = saidAtMs.get(kind);
    if (lastMs !== undefined && nowMs() - lastMs < SAY_AGAIN_MS) return false;
    if (saidAtMs.size >= MOST_REMEMBERED) saidAtMs.clear();
    saidAtMs.set(kind, nowMs());
    return true;
  };
}
