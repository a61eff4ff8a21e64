import { AppError, EXIT } from '../../core/errors.ts';
import type { Lane } from '../../core/lane.ts';
import type { RunWatch } from './stop-rules.ts';

export interface WatchedLaneOptions {
  readonly lane: Lane;
  readonly watch: RunWatch;
  /** How many answers have to be there before further rows are sent; null: none. */
  readonly pilot: number | null;
  /** Waits until something has ended, or leaves when this run is not to wait. */
  readonly waitForEnd: () => Promise<void>;
}

/**
 * A lane that takes a request only while the stop rules are kept, and those beyond the pilot only after its answers have come. What counts is
 * what is recorded, so a run that was killed stops at the same answers.
 */
export function createWatchedLane({ lane, watch, pilot, waitForEnd }: WatchedLaneOptions): Lane {
  const countOnItsWay = () => lane.trips.reduce((rows, trip) => rows + trip.rows, 0) + lane.filling.rows;

  function findStop(): void {
    watch.look();
    if (watch.stop === null) return;
    throw new AppError(`stop_if: ${watch.stop}. Look at them, then change the job; or its stop_if, to go on as it is`, {
      code: 'stop_if',
      exitCode: EXIT.stopped,
    });
  }

  return {
    async add(request, tokens) {
      findStop();
      while (pilot !== null && watch.answers < pilot && watch.answers + countOnItsWay() >= pilot) {
        await lane.flush();
        await waitForEnd();
        findStop();
      }
      await lane.add(request, tokens);
    },
    async nextEnd() {
      await lane.nextEnd();
      watch.look();
    },
    resume: () => lane.resume(),
    flush: () => lane.flush(),
    abandon: () => lane.abandon(),
    nextChange: () => lane.nextChange(),
    takeGivenBack: () => lane.takeGivenBack(),
    settle: () => lane.settle(),
    get trips() {
      return lane.trips;
    },
    get filling() {
      return lane.filling;
    },
  };
}
