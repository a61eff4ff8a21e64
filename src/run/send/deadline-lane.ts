import type { BatchLane } from '../../batch/batch-lane.ts';
import type { Lane, LaneName } from '../../core/lane.ts';
import type { LiveLane } from '../../live/lane.ts';
import type { Deadline } from './deadline.ts';
import { joinLanes } from './join-lanes.ts';

/** Sends to the batch lane while there is time, then recalls everything and finishes live. */
export interface DeadlineLane extends Lane {
  /** Where the next request goes. */
  readonly name: LaneName;
  /** Stops watching the clock. */
  close(): void;
}

export interface DeadlineLaneOptions {
  readonly batch: BatchLane;
  readonly live: LiveLane;
  readonly deadline: Deadline;
  readonly clock: () => Date;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Answers move the instant of the switch, and a laptop may sleep: the clock is checked this often. */
const LOOK_MS = 60_000;

export function createDeadlineLane({ batch, live, deadline, clock, sleep }: DeadlineLaneOptions): DeadlineLane {
  const both = joinLanes(live, batch);
  const closed = new AbortController();
  /** `recalling`: nothing is sent, batches are being cancelled. It ends only between two requests of the pass over the table. */
  let phase: 'batch' | 'recalling' | 'live' = deadline.isSwitched ? 'recalling' : 'batch';
  let leaving: Promise<void> = Promise.resolve();
  let isWatched = false;
  let fault: { readonly error: unknown } | null = null;
  let hasGivenBack = false;
  let tellLeft = () => {};
  const left = new Promise<void>((resolve) => {
    tellLeft = resolve;
  });

  const isDue = () => clock().getTime() >= deadline.switchAt().getTime();

  async function leaveBatches(): Promise<void> {
    phase = 'recalling';
    leaving = deadline.switchLane();
    await leaving;
    batch.recall();
    tellLeft();
  }

  async function watch(): Promise<void> {
    while (phase === 'batch') {
      if (isDue()) return leaveBatches();
      await sleep(Math.min(deadline.switchAt().getTime() - clock().getTime(), LOOK_MS), closed.signal);
    }
  }

  /** The results of batches are in the ledger before the first call leaves: no row is in both lanes. */
  async function enterLive(): Promise<void> {
    await leaving;
    await batch.abandon();
    await batch.drain();
    await batch.nextEnd();
    await live.resume();
    phase = 'live';
    hasGivenBack = true;
  }

  function throwFault(): void {
    if (fault !== null) throw fault.error;
  }

  return {
    get name() {
      return phase === 'batch' ? 'batch' : 'live';
    },
    async resume() {
      if (phase === 'batch' && isDue()) await leaveBatches();
      if (phase === 'recalling') batch.recall();
      if (phase === 'live') return both.resume();
      await batch.resume();
      if (isWatched) return;
      isWatched = true;
      watch().catch((error: unknown) => {
        if (!closed.signal.aborted) fault = { error };
        tellLeft();
      });
    },
    async add(request, tokens) {
      throwFault();
      if (phase === 'batch') return batch.add(request, tokens);
      // While batches are recalled nothing is sent: the next pass over the table meets the row again.
      if (phase === 'live') return live.add(request, tokens);
    },
    async flush() {
      throwFault();
      if (phase === 'batch') return batch.flush();
      return phase === 'recalling' ? enterLive() : live.flush();
    },
    abandon: () => batch.abandon(),
    async nextEnd() {
      throwFault();
      if (phase === 'recalling') return enterLive();
      if (phase === 'live') return both.nextEnd();
      const end = batch.nextEnd();
      // It may arrive after the switch, when nobody waits for it.
      end.catch(() => {});
      await Promise.race([end, left]);
      throwFault();
    },
    nextChange: () => Promise.race([both.nextChange(), left]),
    takeGivenBack() {
      if (phase === 'recalling') return false;
      const answer = hasGivenBack;
      hasGivenBack = false;
      return both.takeGivenBack() || answer;
    },
    drain: () => both.drain(),
    get underWay() {
      return both.underWay;
    },
    get filling() {
      return phase === 'live' ? live.filling : batch.filling;
    },
    close: () => closed.abort(),
  };
}
