import { FORMATS } from '../../core/formats.ts';
import { writeAttemptEnd } from '../redis/calls.ts';
import { WORKER_DIED, writeEnd } from '../redis/ends.ts';
import { readJobId, readWorkerName } from '../redis/keys.ts';
import { MUSTER, runScript } from '../redis/presence-scripts.ts';
import type { RunnerContext } from './context.ts';
import type { Roster } from './recover-lost.ts';

/** The current work of the workers. */
export interface WorkerView {
  readonly inFlight: number;
  /** How many calls they take at once, all together. */
  readonly concurrency: number;
  /** And the one that takes the fewest; null without a worker. */
  readonly fewestAtOnce: number | null;
}

/**
 * Checks who is alive, admits them, and ends the attempts of the dead: no other worker has to wait for a lock to expire.
 * @returns null if Redis has lost its data. `refusals` are sentences about workers too new for us, which are given no calls
 */
export async function readRoster(
  context: RunnerContext,
  sessionId: string,
): Promise<{ readonly last: Roster; readonly view: WorkerView; readonly refusals: readonly string[] } | null> {
  const { link, shared, keys, state, workerSilenceMs } = context;
  const reply = (await runScript(
    link.redis,
    MUSTER,
    [shared.states, shared.workers, keys.admitted, keys.open],
    [state, sessionId, workerSilenceMs, FORMATS.redis],
  )) as [] | [string[], string[]];
  const [names, flat] = reply;
  if (names === undefined || flat === undefined) return null;
  const living = new Set(names);
  const orphans = new Map<string, string>();
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const [callId, mark] = [flat[index] as string, flat[index + 1] as string];
    if (!living.has(mark.slice(0, mark.indexOf('|')))) orphans.set(callId, mark);
  }
  await Promise.all([...orphans].map(([callId, mark]) => endOrphan(context, callId, mark)));
  const read = names.map((name) => ({ name, ...readWorkerName(name) }));
  const admitted = read.filter(({ refusal }) => refusal === null);
  return {
    last: { workers: new Set(admitted.map(({ name }) => name)), orphans: new Set(orphans.keys()) },
    view: {
      inFlight: flat.length / 2 - orphans.size,
      concurrency: admitted.reduce((sum, worker) => sum + worker.concurrency, 0),
      fewestAtOnce: admitted.length === 0 ? null : Math.min(...admitted.map((worker) => worker.concurrency)),
    },
    refusals: read.flatMap(({ refusal }) => refusal ?? []),
  };
}

async function endOrphan(context: RunnerContext, callId: string, mark: string): Promise<void> {
  const customId = readJobId(context.state, callId);
  if (customId === null) return;
  const bodyBytes = context.window.held.get(customId)?.bodyBytes ?? 0;
  const text = writeEnd({ status: 'unknown', why: WORKER_DIED, bodyBytes });
  const call = { state: context.state, callId, customId };
  await writeAttemptEnd(context.link, call, { mark, tokensDelta: 0, hasCrashed: true, delivery: { kind: 'unknown', text } });
}
