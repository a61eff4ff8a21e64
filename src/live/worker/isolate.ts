/**
 * Lets a call that killed workers before run alone in its process, so that no other call dies with it: it waits until the others
 * are done, and no other starts meanwhile.
 */
export class AloneGate {
  #running = 0;
  #isTaken = false;
  #waiting: (() => void)[] = [];

  /** Enters; resolves with the function that leaves. */
  async enter(isAlone: boolean): Promise<() => void> {
    while (this.#isTaken) await this.#nextChange();
    if (isAlone) {
      this.#isTaken = true;
      while (this.#running > 0) await this.#nextChange();
    }
    this.#running += 1;
    return () => {
      this.#running -= 1;
      if (isAlone) this.#isTaken = false;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const resolve of waiting) resolve();
    };
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}
