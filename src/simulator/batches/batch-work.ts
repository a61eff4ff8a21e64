import type { BilledRows } from '../bill.ts';
import type { Simulation } from '../simulation.ts';
import { isTerminal } from '../wire-objects.ts';
import { runBatch } from './batch-runner.ts';

/** The batches in progress in this process. */
export interface BatchWorkList {
  start(batchId: string, billed: BilledRows): void;
  /** For a batch whose status was set to cancelling. */
  stop(batchId: string): void;
  /** Continues everything a killed process left unfinished, using what is on the bill for it. */
  resumeAll(): void;
  /** Resolves when no work is in progress. */
  ended(): Promise<void>;
}

/** Runs each batch once at a time, in the background. An error in the simulator itself is not caught: it is a bug. */
export function createBatchWork(simulation: Simulation): BatchWorkList {
  const running = new Map<string, { readonly ended: Promise<void>; readonly cancel: AbortController }>();

  function start(batchId: string, billed: BilledRows): void {
    const cancel = new AbortController();
    if (simulation.store.batches.get(batchId)?.wire.status === 'cancelling') cancel.abort();
    const work = simulation.clock.track(() => runBatch(simulation, batchId, { billed, cancelled: cancel.signal }));
    const ended = work
      .catch((error: unknown) => {
        if (!simulation.signal.aborted) throw error;
      })
      .finally(() => running.delete(batchId));
    running.set(batchId, { ended, cancel });
  }

  function resume(batchIds: readonly string[]): void {
    const billed = simulation.bill.readBilledRows(new Set(batchIds));
    for (const batchId of batchIds) start(batchId, billed.get(batchId) ?? new Map());
  }

  return {
    start,
    stop(batchId) {
      const work = running.get(batchId);
      if (work === undefined) resume([batchId]);
      else work.cancel.abort();
    },
    resumeAll() {
      const unfinished = [...simulation.store.batches.values()].filter(({ wire }) => !isTerminal(wire.status));
      resume(unfinished.map(({ wire }) => wire.id));
    },
    async ended() {
      await Promise.all([...running.values()].map((work) => work.ended));
    },
  };
}
