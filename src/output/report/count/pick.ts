/** Keeps some of the given items, up to a maximum. */
export interface Picker<Item> {
  add(item: Item): void;
  read(): readonly Item[];
}

/** Keeps the items with the largest scores (above 0); of equal ones the first. They are returned largest first. */
export function createTopPicker<Item>(size: number, scoreOf: (item: Item) => number): Picker<Item> {
  let kept: { item: Item; score: number }[] = [];
  /** What an item has to exceed; used only once there are enough. */
  let threshold = 0;
  return {
    add(item) {
      const score = scoreOf(item);
      if (score <= threshold) return;
      kept.push({ item, score });
      // Sorting now and then instead of each time, so that a table sorted by cost does not cost more than another one.
      if (kept.length < size * 2) return;
      kept = largest(kept, size);
      threshold = kept.at(-1)?.score ?? 0;
    },
    read: () => largest(kept, size).map(({ item }) => item),
  };
}

function largest<Scored extends { readonly score: number }>(kept: readonly Scored[], size: number): Scored[] {
  return kept.toSorted((a, b) => b.score - a.score).slice(0, size);
}

/** Keeps items so that each had the same chance. The seed decides; the same items in the same order give the same result. */
export function createRandomPicker<Item>(size: number, seed: number): Picker<Item> {
  const kept: Item[] = [];
  let seen = 0;
  let state = seed >>> 0;
  return {
    add(item) {
      seen += 1;
      if (kept.length < size) {
        kept.push(item);
        return;
      }
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const place = Math.floor((state / 0x100000000) * seen);
      if (place < size) kept[place] = item;
    },
    read: () => kept,
  };
}
