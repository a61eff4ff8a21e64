import { AppError, EXIT } from '../../core/errors.ts';
import type { Lane } from '../../core/lane.ts';
import type { StopRules } from './stop-rules.ts';

export interface PilotLaneOptions {
  readonly lane: Lane;
  readonly stopRules: StopRules;
  /** How many answers must have arrived before further rows are sent; null: none. */
  readonly pilot: number | null;
  /** Waits until something has ended, or leaves if this run does not wait. */
  readonly waitForEnd: () => Promise<void>;
}

/**
 * A lane that takes a request only while the stop rules hold, and those beyond the pilot only after its answers have arrived. It counts
 * recorded results, so a run that was killed stops at the same answers.
 */
export function createPilotLane({ lane, stopRules, pilot, waitForEnd }: PilotLaneOptions): Lane {
  const countOnItsWay = () => lane.underWay.reduce((rows, shard) => rows + shard.rows, 0) + lane.filling.rows;

  /** No further row is needed to stop here: even at the end of the table, a table without an answer must not replace an existing one. */
  function stopUnreadable(): void {
    stopRules.look();
    const { addressRefusal } = stopRules;
    if (addressRefusal !== null) {
      throw new AppError(
        `every answer so far refuses the address or the key (${addressRefusal}): is the base URL right, and may this key call it? Nothing was replaced; once it answers otherwise, run with --retry-failed`,
        { code: 'address_refused', exitCode: EXIT.refused },
      );
    }
    if (stopRules.unreadable === null) return;
    throw new AppError(
      `the first 20 answers of this run cannot be read (${stopRules.unreadable}): is the base URL right, and does the server speak this endpoint? Nothing was replaced; once it answers properly, run with --fresh`,
      { code: 'unreadable', exitCode: EXIT.stopped },
    );
  }

  function findStop(): void {
    stopUnreadable();
    if (stopRules.stop === null) return;
    throw new AppError(`stop_if: ${stopRules.stop}. Look at them, then change the job, or its stop_if to continue with these answers`, {
      code: 'stop_if',
      exitCode: EXIT.stopped,
    });
  }

  return {
    async add(request, tokens) {
      findStop();
      while (pilot !== null && stopRules.answers < pilot && stopRules.answers + countOnItsWay() >= pilot) {
        await lane.flush();
        await waitForEnd();
        findStop();
      }
      await lane.add(request, tokens);
    },
    async nextEnd() {
      await lane.nextEnd();
      stopUnreadable();
    },
    resume: () => lane.resume(),
    flush: () => lane.flush(),
    abandon: () => lane.abandon(),
    nextChange: () => lane.nextChange(),
    takeGivenBack: () => lane.takeGivenBack(),
    drain: () => lane.drain(),
    get underWay() {
      return lane.underWay;
    },
    get filling() {
      return lane.filling;
    },
  };
}
