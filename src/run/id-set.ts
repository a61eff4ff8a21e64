/** A set of small whole numbers from 0, a bit each: a million of them take 125 kB. */
export interface IdSet {
  has(id: number): boolean;
  /** @returns false when it was there already */
  add(id: number): boolean;
}

export function createIdSet(): IdSet {
  let bits = new Uint8Array(128);
  const has = (id: number) => ((bits[id >>> 3] ?? 0) & (1 << (id & 7))) !== 0;
  return {
    has,
    add(id) {
      if (has(id)) return false;
      if (id >>> 3 >= bits.length) {
        const larger = new Uint8Array(Math.max(bits.length * 2, (id >>> 3) + 1));
        larger.set(bits);
        bits = larger;
      }
      bits[id >>> 3] = (bits[id >>> 3] as number) | (1 << (id & 7));
      return true;
    },
  };
}
