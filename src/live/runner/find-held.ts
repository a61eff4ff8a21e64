import { makeGroupedCallId, makeJobKey, readJobId } from '../redis/keys.ts';
import { LIST_CALLS, runScript } from '../redis/presence-scripts.ts';
import type { EndCollector } from './collect-ends.ts';
import type { RunnerContext } from './context.ts';
import { JOB_LISTS } from './recover-lost.ts';

const JOBS_AT_ONCE = 50;

/** What Redis holds of this state from an earlier process: calls in a list, attempts in progress and uncollected ends. @returns custom id to call id */
export async function findHeld(context: RunnerContext, collector: EndCollector): Promise<ReadonlyMap<string, string>> {
  const { queue, link, keys, state } = context;
  const listed = await listCalls(context, await queue.getRanges(JOB_LISTS, 0, -1));
  const done = new Set(await link.redis.smembers(keys.done));
  // The ends of these were delivered: they are read below, or are in the ledger.
  collector.linger(listed.filter((callId) => done.has(callId)));
  const open = await link.redis.hkeys(keys.open);
  const callIds = [...listed.filter((callId) => !done.has(callId)), ...open, ...(await collector.listCallIds())];
  return new Map(
    callIds.flatMap((callId) => {
      const customId = readJobId(state, callId);
      return customId === null ? [] : [[customId, callId] as const];
    }),
  );
}

/** The ids of the calls in these jobs. */
async function listCalls({ link, state }: RunnerContext, jobIds: readonly string[]): Promise<readonly string[]> {
  const callIds: string[] = [];
  for (let index = 0; index < jobIds.length; index += JOBS_AT_ONCE) {
    const some = jobIds.slice(index, index + JOBS_AT_ONCE);
    const jobKeys = some.map((jobId) => makeJobKey(link.queueName, jobId));
    const carried = (await runScript(link.redis, LIST_CALLS, jobKeys, [])) as readonly (readonly string[])[];
    for (const [at, jobId] of some.entries()) {
      const isGroup = makeGroupedCallId(state, jobId, '') !== null;
      // A group without calls was finished by a worker since it was listed: the ends of its calls are in Redis already.
      const grouped = (carried[at] ?? []).flatMap((customId) => makeGroupedCallId(state, jobId, customId) ?? []);
      callIds.push(...(isGroup ? grouped : [jobId]));
    }
  }
  return callIds;
}
