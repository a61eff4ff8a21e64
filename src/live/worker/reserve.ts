import { LEARNING_HORIZON_MS } from '../limits/throttle-rules.ts';
import { type Grant, reserveCall } from '../redis/calls.ts';
import { WORKER_DIED } from '../redis/ends.ts';
import type { HandedCall, WorkerContext } from './context.ts';
import { deliver, endAttempt, interruptionsOf, NO_ATTEMPT, type OpenAttempt } from './deliver.ts';
import { sleepUntilAny } from './wait.ts';

/** Not admitted yet, another worker has it, or Redis is unavailable. */
const ASK_AGAIN_MS = 50;
/** After a longer wait than this it asks again whether all calls were held back meanwhile. */
const STALE_MS = 100;

/** A grant that may be used now, or what happens to a job that gets none. */
export type Waited = { readonly status: 'go'; readonly grant: Grant; readonly tokens: number } | { readonly status: 'over' | 'give-back' };

/**
 * Asks until the call may leave, and sleeps until then. While Redis does not answer, nothing is granted.
 * @param estimate the tokens it may need, as known at that moment
 */
export async function waitForGrant(context: WorkerContext, call: HandedCall, estimate: () => number): Promise<Waited> {
  const interruptions = interruptionsOf(context, call);
  const isInterrupted = () => interruptions.some((signal) => signal.aborted);
  const grantId = Math.floor(context.random() * 2 ** 48).toString(36);
  let attempt: OpenAttempt = NO_ATTEMPT;
  let tokens = 0;
  for (;;) {
    if (isInterrupted()) return leave(context, call, attempt);
    // A grant is repeated with the tokens it was given for.
    if (attempt.mark === '') tokens = estimate();
    const { isLearning } = context.learned;
    const grant = await ask(context, call, grantId, tokens);
    switch (grant?.status) {
      case 'go':
        attempt = { mark: grant.mark, requestsDelta: -1, tokensDelta: -tokens };
        context.presence.enter(call, grant.mark);
        await sleepUntilAny(context.sleep, grant.waitMs, interruptions);
        if (grant.waitMs <= STALE_MS && !isInterrupted()) return { status: 'go', grant, tokens };
        break;
      case 'wait':
        await sleepUntilAny(context.sleep, isLearning ? LEARNING_HORIZON_MS : Math.max(ASK_AGAIN_MS, grant.waitMs / 2), interruptions);
        break;
      case undefined:
      case 'stranger':
      case 'busy':
        await sleepUntilAny(context.sleep, ASK_AGAIN_MS, interruptions);
        break;
      case 'lost':
        context.log('warn', 'call-lost', { job: call.callId, crashes: grant.crashes + 1 });
        await deliver(context, call, { mark: grant.mark, tokensDelta: 0, hasCrashed: true }, lostEnd(call));
        return { status: 'over' };
      case 'poison':
        await deliver(context, call, NO_ATTEMPT, { status: 'reject', why: `held: ${grant.crashes} workers died calling it` });
        return { status: 'over' };
      case 'done':
      case 'gone':
        return { status: 'over' };
      default:
        grant?.status satisfies undefined;
    }
  }
}

/** @returns null while Redis does not answer */
async function ask(context: WorkerContext, call: HandedCall, grant: string, tokens: number): Promise<Grant | null> {
  try {
    // Answers in flight may show that it can leave earlier; a block of all calls does not end earlier.
    const horizon = context.learned.isLearning ? { limitsHorizonMs: LEARNING_HORIZON_MS } : {};
    return await reserveCall(context.link, call, { worker: context.presence.worker, grant, tokens, ...horizon });
  } catch (error) {
    context.onRedisFailure(error);
    return null;
  }
}

/** Nothing has left: the job goes back to the queue if this worker drains, to the runner if the run stops, otherwise another worker has it. */
async function leave(context: WorkerContext, call: HandedCall, attempt: OpenAttempt): Promise<Waited> {
  if (context.presence.stopping(call.state).aborted) {
    await deliver(context, call, attempt, { status: 'back', code: 'stopped' });
    return { status: 'over' };
  }
  if (attempt.mark !== '') await endAttempt(context, call, { ...attempt, delivery: null });
  return { status: call.signal.aborted ? 'over' : 'give-back' };
}

function lostEnd(call: HandedCall) {
  const { body } = call.data as { readonly body: string };
  return { status: 'unknown', why: WORKER_DIED, bodyBytes: Buffer.byteLength(body) } as const;
}
