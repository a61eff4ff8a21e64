const PAGE_SHIFT = 16;
const PAGE_WORDS = 1 << PAGE_SHIFT;

/**
 * 32-bit words, 0 at first. A large array is given back to malloc as a whole when a larger one takes its place, and malloc then keeps twice its size
 * for whatever comes, instead of returning it to the system; pages are small.
 */
export class PagedWords {
  readonly length: number;
  readonly #pages: readonly Uint32Array[];

  /** @param length a power of two */
  constructor(length: number) {
    this.length = length;
    const pageWords = Math.min(length, PAGE_WORDS);
    this.#pages = Array.from({ length: length / pageWords }, () => new Uint32Array(pageWords));
  }

  get(at: number): number {
    return (this.#pages[at >>> PAGE_SHIFT] as Uint32Array)[at & (PAGE_WORDS - 1)] as number;
  }

  set(at: number, word: number): void {
    (this.#pages[at >>> PAGE_SHIFT] as Uint32Array)[at & (PAGE_WORDS - 1)] = word;
  }
}
