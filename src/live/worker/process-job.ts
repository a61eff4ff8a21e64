import type { HandedCall, WorkerContext } from './context.ts';
import { interruptionsOf } from './deliver.ts';
import { type Fate, processCall } from './process-call.ts';

/** A job is over when all of its calls are. If it comes back, calls that were made are known by their ids. */
export async function processJob(context: WorkerContext, calls: readonly HandedCall[]): Promise<Fate> {
  const ends = await Promise.allSettled(
    calls.map((call) => context.slots.run(() => processCall(context, call), interruptionsOf(context, call))),
  );
  const fates = new Set(ends.map(readFate));
  if (fates.has('postpone')) return 'postpone';
  return fates.has('give-back') ? 'give-back' : 'over';
}

function readFate(end: PromiseSettledResult<Fate>): Fate {
  if (end.status === 'rejected') throw end.reason;
  return end.value;
}
