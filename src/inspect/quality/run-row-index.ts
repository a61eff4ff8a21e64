import type { RunRow } from '../../ledger/runs.ts';

/** A row of a run whose prompt could not be rendered has no request. */
export const NO_REQUEST = -2;

/**
 * The rows of a run by the hash of their id: some 24 bytes each, whatever their ids. Rows with the same id are returned in the order of the run.
 */
export class RunRowIndex {
  /** 56 bits of a row's hash in two words. */
  #low = new Uint32Array(1024);
  #high = new Uint32Array(1024);
  /** The id of its request's key in the ledger; -1 if the ledger does not know it. */
  #requests = new Int32Array(1024);
  /** The next row with the same hash; -1 after the last. */
  #next = new Int32Array(1024);
  #size = 0;
  /** Open addressing: the first row with a hash that was not taken yet, plus 1; negative if all were; 0 is free. */
  #slots = new Int32Array(0);
  #isTaken = new Uint8Array(0);

  constructor(rows: Iterable<RunRow>, findRequest: (key: string) => number) {
    for (const { idHash, key } of rows) this.#add(idHash, key === null ? NO_REQUEST : findRequest(key));
    this.#isTaken = new Uint8Array(this.#size);
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(this.#size * 2 + 2)));
    this.#next.fill(-1);
    // From the end, so that the first row of an id comes first.
    for (let row = this.#size - 1; row >= 0; row -= 1) {
      const slot = this.#findSlot(this.#low[row] as number, this.#high[row] as number);
      this.#next[row] = (this.#slots[slot] as number) - 1;
      this.#slots[slot] = row + 1;
    }
  }

  get size(): number {
    return this.#size;
  }

  /** The request of the next row with this hash, which is then taken; null if there is none left. */
  take(idHash: string): number | null {
    const { low, high } = splitHash(idHash);
    const slot = this.#findSlot(low, high);
    const row = this.#slots[slot] as number;
    if (row <= 0) return null;
    const next = this.#next[row - 1] as number;
    // The slot stays occupied by its hash: the last row, negative, shows that nothing is left.
    this.#slots[slot] = next === -1 ? -row : next + 1;
    this.#isTaken[row - 1] = 1;
    return this.#requests[row - 1] as number;
  }

  /** Takes everything that is left, in the order of the run. */
  *takeRemaining(): Generator<{ readonly idHash: string; readonly request: number }> {
    for (let row = 0; row < this.#size; row += 1) {
      if (this.#isTaken[row] === 1) continue;
      yield { idHash: joinHash(this.#low[row] as number, this.#high[row] as number), request: this.#requests[row] as number };
    }
  }

  #add(idHash: string, request: number): void {
    if (this.#size === this.#low.length) this.#grow();
    const { low, high } = splitHash(idHash);
    this.#low[this.#size] = low;
    this.#high[this.#size] = high;
    this.#requests[this.#size] = request;
    this.#size += 1;
  }

  #findSlot(low: number, high: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = (low ^ high) & mask; ; slot = (slot + 1) & mask) {
      const row = Math.abs(this.#slots[slot] as number) - 1;
      if (row === -1 || (this.#low[row] === low && this.#high[row] === high)) return slot;
    }
  }

  #grow(): void {
    const length = this.#low.length * 2;
    const copy = <T extends Uint32Array | Int32Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.#low = copy(new Uint32Array(length), this.#low);
    this.#high = copy(new Uint32Array(length), this.#high);
    this.#requests = copy(new Int32Array(length), this.#requests);
    this.#next = new Int32Array(length);
  }
}

function splitHash(idHash: string): { low: number; high: number } {
  return { low: Number.parseInt(idHash.slice(0, 8), 16), high: Number.parseInt(idHash.slice(8).padEnd(6, '0'), 16) };
}

function joinHash(low: number, high: number): string {
  return low.toString(16).padStart(8, '0') + high.toString(16).padStart(6, '0');
}
