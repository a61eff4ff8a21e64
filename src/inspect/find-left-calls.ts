import { readLastRunEvent } from '../ledger/events/read-last-event.ts';
import { eventsFile, readStateEvents } from './last-run.ts';
import { locateState } from './locate-state.ts';
import type { ReadOptions } from './open-state.ts';
import { openWithoutJob } from './open-without-job.ts';

/** Live calls that the last process of an unfinished run left without an end. */
export interface LeftCalls {
  readonly run: string;
  /** In flight when it ended: their results are unknown, and they may have been billed. */
  readonly lost: number;
  /** Handed to workers, who may still make them. */
  readonly queued: number;
}

/** Null if there are none, or if a process is working on the run. Neither table nor job is read, the events not if the last run has ended, and answers only if they leave calls open. */
export async function findLeftCalls(options: ReadOptions): Promise<LeftCalls | null> {
  const { state, job } = await locateState(options);
  if (readLastRunEvent(eventsFile(state.directory))?.type === 'run-ended') return null;
  const { currentRun, openCalls, queuedCalls, unknownCalls, origin } = await readStateEvents(state, options.signal);
  if (currentRun === null || openCalls.size + queuedCalls.size === 0) return null;
  const { id } = currentRun;
  const ledger = await openWithoutJob(options, { directory: state.directory, origin, job });
  try {
    const { fold } = ledger;
    // While a process works, its calls are still open.
    if (fold.openCalls.size > 0) return null;
    const lost = (fold.unknownCalls.get(id)?.calls ?? 0) - (unknownCalls.get(id)?.calls ?? 0);
    return lost + fold.queuedCalls.size === 0 ? null : { run: id, lost, queued: fold.queuedCalls.size };
  } finally {
    await ledger.close();
  }
}
