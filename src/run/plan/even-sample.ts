/** Items spread evenly over all that were offered, in their order. */
export interface EvenSample<T> {
  offer(item: T): void;
  readonly kept: readonly T[];
}

/** Keeps every item while they are few, then every second, fourth and so on: at least `least` of them if so many are offered, fewer than twice as many. */
export function createEvenSample<T>(least: number): EvenSample<T> {
  let kept: T[] = [];
  let step = 1;
  let offered = 0;
  return {
    offer(item) {
      if (offered % step === 0) kept.push(item);
      offered += 1;
      if (kept.length < least * 2) return;
      kept = kept.filter((_, place) => place % 2 === 0);
      step *= 2;
    },
    get kept() {
      return kept;
    },
  };
}
