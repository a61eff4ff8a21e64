/** What is said again and again is said once in so long. */
const SAY_AGAIN_MS = 60_000;
/** Sentences have few kinds; should they have many, they are remembered anew. */
const MOST_REMEMBERED = 50;

/** @returns a function that says whether it is time to say this again: at most once a minute for everything of the same kind */
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
