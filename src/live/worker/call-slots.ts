/**
 * Limits the calls made at once. Jobs carry several calls, so a few more than that may be in hand, which wait here: an interrupted call
 * enters at once, to give itself back.
 */
export class CallSlots {
  #limit: number;
  #inHand = 0;
  #atWork = 0;
  readonly #waiting = new Set<() => void>();
  readonly #onChange: () => void;

  constructor(limit: number, onChange: () => void) {
    this.#limit = limit;
    this.#onChange = onChange;
  }

  set limit(limit: number) {
    this.#limit = limit;
    this.#change();
  }

  get atWork(): number {
    return this.#atWork;
  }

  /** Whether another call would find a slot. */
  get hasRoom(): boolean {
    return this.#inHand < this.#limit;
  }

  async run<T>(work: () => Promise<T>, interruptions: readonly AbortSignal[]): Promise<T> {
    this.#inHand += 1;
    await this.#enter(interruptions);
    try {
      return await work();
    } finally {
      this.#atWork -= 1;
      this.#inHand -= 1;
      this.#change();
    }
  }

  async #enter(interruptions: readonly AbortSignal[]): Promise<void> {
    if (this.#atWork < this.#limit || interruptions.some((signal) => signal.aborted)) {
      this.#atWork += 1;
      return;
    }
    await new Promise<void>((resolve) => {
      const enter = () => {
        this.#waiting.delete(enter);
        for (const signal of interruptions) signal.removeEventListener('abort', enter);
        this.#atWork += 1;
        resolve();
      };
      this.#waiting.add(enter);
      for (const signal of interruptions) signal.addEventListener('abort', enter);
    });
  }

  #change(): void {
    for (const enter of this.#waiting) {
      if (this.#atWork >= this.#limit) break;
      enter();
    }
    this.#onChange();
  }
}
