/**
 * Lets a call that killed workers before run by itself in its process, so that its neighbours do not die with it: it waits until the others
 * are through, and nobody starts beside it.
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
