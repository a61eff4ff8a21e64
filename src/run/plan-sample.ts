/** Keeps so many of the things offered, each with the same chance, whatever their number; the same ones for the same seed. */
export interface Sample<T> {
  /** Makes the thing only when it is kept. */
  offer(make: () => T): void;
  readonly kept: readonly T[];
}

export function createSample<T>(size: number, seed: number): Sample<T> {
  const kept: T[] = [];
  let state = (seed * 48_271 + 11) % 2_147_483_647;
  let offered = 0;

  /** Uniform among 0 … below - 1 (Lehmer’s generator). */
  function draw(below: number): number {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  }

  return {
    kept,
    offer(make) {
      offered += 1;
      if (kept.length < size) {
        kept.push(make());
        return;
      }
      const place = draw(offered);
      if (place < size) kept[place] = make();
    },
  };
}
