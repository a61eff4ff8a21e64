import type { BatchLane } from '../../batch/batch-lane.ts';
import type { Lane } from '../../core/lane.ts';
import type { LiveLane } from '../../live/lane.ts';

/** Sends to the live lane and handles what is in progress in both. */
export function joinLanes(live: LiveLane, batch: BatchLane): Lane {
  async function nextEnd(): Promise<void> {
    const busy = [live, batch].filter((lane) => lane.underWay.length > 0);
    if (busy.length === 0) {
      await live.nextEnd();
      return batch.nextEnd();
    }
    const ends = busy.map((lane) => lane.nextEnd());
    // The second one is reported again by the next call.
    for (const end of ends) end.catch(() => {});
    return Promise.race(ends);
  }
  return {
    async resume() {
      await batch.resume();
      await live.resume();
    },
    add: (request, tokens) => live.add(request, tokens),
    flush: () => live.flush(),
    // The live queue gives back what has not left when the run stops; it would not start again.
    abandon: () => batch.abandon(),
    nextEnd,
    nextChange: () => Promise.race([live.nextChange(), batch.nextChange()]),
    takeGivenBack() {
      const hasLive = live.takeGivenBack();
      return batch.takeGivenBack() || hasLive;
    },
    async drain() {
      await live.drain();
      await batch.drain();
    },
    get underWay() {
      return [...live.underWay, ...batch.underWay];
    },
    get filling() {
      return live.filling;
    },
  };
}
