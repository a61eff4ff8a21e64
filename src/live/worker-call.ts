import { AppError, EXIT } from '../core/errors.ts';
import type { Request } from '../core/request.ts';
import { type Grant, type JobReference, type QueueLink, reserveCall, type Settlement } from './redis-calls.ts';
import { type DeliveredEnd, writeEnd } from './redis-ends.ts';
import { insist } from './redis-insist.ts';
import { makeSharedKeys } from './redis-keys.ts';
import { BLOCK, runScript } from './redis-scripts.ts';
import type { AloneGate } from './worker-alone.ts';
import type { CallEstimate, CallTokens } from './worker-estimate.ts';
import { type JobReading, readJob, type WorkerCeilings } from './worker-job.ts';
import type { WorkerPresence } from './worker-presence.ts';
import { sleepUntilAny } from './worker-wait.ts';

/** What one HTTP call came to. */
export type WorkerCallOutcome =
  /** `line` is a response line without its newline; `tokens` is null when nothing usable was reported. */
  | { readonly status: 'answered'; readonly line: string; readonly tokens: CallTokens | null }
  | { readonly status: 'wait'; readonly code: string; readonly waitMs: number | null }
  | { readonly status: 'not-sent'; readonly code: string }
  | { readonly status: 'stop'; readonly error: AppError }
  | { readonly status: 'unknown'; readonly why: string };

/** Makes one call, once. Never rejects for what the provider does. */
export type MakeWorkerCall = (request: Request, signal: AbortSignal) => Promise<WorkerCallOutcome>;

/** One line of a worker's log: never row text, never a key. */
export type WorkerLog = (level: 'info' | 'warn' | 'error', event: string, facts?: Readonly<Record<string, unknown>>) => void;

/** What one queue's jobs are handed. */
export interface WorkerContext {
  readonly link: QueueLink;
  readonly presence: WorkerPresence;
  readonly makeCall: MakeWorkerCall;
  readonly ceilings: WorkerCeilings;
  readonly estimate: CallEstimate;
  readonly alone: AloneGate;
  readonly log: WorkerLog;
  readonly random: () => number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Fires when nothing new may leave. */
  readonly draining: AbortSignal;
  /** Fires when what is under way must end as well. */
  readonly ending: AbortSignal;
  /** Told how calls fare, so that the number of calls under way follows. */
  readonly onOutcome: (status: WorkerCallOutcome['status']) => void;
}

/** A job as BullMQ hands it over; `signal` fires when somebody else has taken it. */
export interface HandedJob extends JobReference {
  readonly data: unknown;
  readonly signal: AbortSignal;
}

/** Not admitted yet, or another worker is at it. */
const ASK_AGAIN_MS = 100;
const SHORTEST_BACK_OFF_MS = 500;
const LONGEST_BACK_OFF_MS = 10_000;
/** A provider out of reach for so long ends the run. */
const UNREACHABLE_MS = 600_000;
/** After a call that says no call can succeed, this slot rests, so that the runner can stop the others. */
const REST_MS = 1_000;

/** The life of one job: check, reserve, wait, call once, settle. @returns whether the job is over, or must go back to the queue */
export async function processJob(context: WorkerContext, job: HandedJob): Promise<'over' | 'give-back'> {
  const reading = readJob(job.data, { ...job, secret: context.link.secret, ceilings: context.ceilings });
  if (reading.status === 'refused') {
    context.log('warn', 'job-refused', { job: job.jobId, why: reading.why });
    await deliver(context, job, { mark: '', tokensDelta: 0 }, { status: 'reject', why: reading.why });
    return 'over';
  }
  let unreachableMs = 0;
  for (let attempt = 1; ; attempt += 1) {
    const tokens = context.estimate.reserve(reading.request.body.length, reading.outputTokens);
    const waited = await waitForGrant(context, job, tokens);
    if (waited.status !== 'go') return waited.status;
    const outcome = await callAlone(context, job, reading, waited.grant);
    context.onOutcome(outcome.status);
    const unused = { mark: waited.grant.mark, tokensDelta: -tokens };
    switch (outcome.status) {
      case 'answered':
        return answer(context, job, reading, outcome, { mark: waited.grant.mark, tokens });
      case 'unknown':
        await deliver(context, job, { ...unused, tokensDelta: 0 }, unknown(reading, outcome.why));
        return 'over';
      case 'stop':
        return halt(context, job, unused, outcome.error);
      case 'wait':
      case 'not-sent': {
        const backOffMs =
          Math.min(SHORTEST_BACK_OFF_MS * 2 ** Math.min(attempt - 1, 5), LONGEST_BACK_OFF_MS) * (0.5 + context.random() / 2);
        const waitMs = (outcome.status === 'wait' ? outcome.waitMs : null) ?? backOffMs;
        await settle(context, job, { ...unused, delivery: null });
        if (outcome.status === 'wait') await blockAll(context, waitMs);
        unreachableMs = outcome.status === 'not-sent' ? unreachableMs + waitMs : 0;
        context.log('warn', outcome.status, { job: job.jobId, code: outcome.code, waitMs: Math.round(waitMs) });
        if (unreachableMs > UNREACHABLE_MS) return halt(context, job, { mark: '', tokensDelta: 0 }, unreachable(outcome.code));
        // A 429 holds everybody back through Redis; only a call that did not get out waits by itself.
        if (outcome.status === 'not-sent')
          await sleepUntilAny(context.sleep, waitMs, [context.draining, job.signal, context.presence.stopping(job.state)]);
        break;
      }
      default:
        outcome satisfies never;
    }
  }
}

type Waited = { readonly status: 'go'; readonly grant: Grant } | { readonly status: 'over' | 'give-back' };

/** Asks until the call may leave, and sleeps until then. While Redis does not answer, nothing is granted. */
async function waitForGrant(context: WorkerContext, job: HandedJob, tokens: number): Promise<Waited> {
  const stopping = context.presence.stopping(job.state);
  const interruptions = [context.draining, job.signal, stopping];
  const grantId = `${job.jobId.slice(-6)}${Math.floor(context.random() * 1e9).toString(36)}`;
  for (;;) {
    if (interruptions.some((signal) => signal.aborted)) return leave(context, job, { mark: '', tokensDelta: 0 });
    let grant: Grant;
    try {
      grant = await reserveCall(context.link, job, { worker: context.presence.worker, grant: grantId, tokens });
    } catch {
      await sleepUntilAny(context.sleep, ASK_AGAIN_MS, interruptions);
      continue;
    }
    switch (grant.status) {
      case 'go':
        context.presence.enter(job, grant.mark);
        await sleepUntilAny(context.sleep, grant.waitMs, interruptions);
        if (interruptions.some((signal) => signal.aborted)) return leave(context, job, { mark: grant.mark, tokensDelta: -tokens });
        return { status: 'go', grant };
      case 'wait':
      case 'stranger':
      case 'busy':
        await sleepUntilAny(context.sleep, grant.status === 'wait' ? grant.waitMs / 2 : ASK_AGAIN_MS, interruptions);
        break;
      case 'lost':
        context.log('warn', 'call-lost', { job: job.jobId, crashes: grant.crashes + 1 });
        await deliver(context, job, { mark: grant.mark, tokensDelta: 0, hasCrashed: true }, lostEnd(job));
        return { status: 'over' };
      case 'poison':
        await deliver(
          context,
          job,
          { mark: '', tokensDelta: 0 },
          { status: 'reject', why: `held: ${grant.crashes} workers died calling it` },
        );
        return { status: 'over' };
      case 'done':
      case 'gone':
        return { status: 'over' };
      default:
        grant.status satisfies never;
    }
  }
}

/** Nothing has left: the job goes back to the queue when this worker drains, to the runner when the run stops, else it is somebody else's. */
async function leave(context: WorkerContext, job: HandedJob, unused: Omit<Settlement, 'delivery'>): Promise<Waited> {
  if (context.presence.stopping(job.state).aborted) {
    await deliver(context, job, unused, { status: 'back', code: 'stopped' });
    return { status: 'over' };
  }
  if (unused.mark !== '') await settle(context, job, { ...unused, delivery: null });
  return { status: job.signal.aborted ? 'over' : 'give-back' };
}

async function callAlone(context: WorkerContext, job: HandedJob, reading: RequestReading, grant: Grant): Promise<WorkerCallOutcome> {
  const leaveGate = await context.alone.enter(grant.crashes >= 2);
  try {
    return await context.makeCall(reading.request, job.signal);
  } catch (error) {
    context.log('error', 'bug', { job: job.jobId, stack: (error as Error).stack });
    return { status: 'unknown', why: 'the worker failed while it called' };
  } finally {
    leaveGate();
  }
}

async function answer(
  context: WorkerContext,
  job: HandedJob,
  reading: RequestReading,
  outcome: Extract<WorkerCallOutcome, { status: 'answered' }>,
  reserved: { readonly mark: string; readonly tokens: number },
): Promise<'over'> {
  const { tokens } = outcome;
  if (tokens !== null) context.estimate.learn(reading.request.body.length, tokens);
  const tokensDelta = tokens === null ? 0 : tokens.input + tokens.output - reserved.tokens;
  await settle(context, job, { mark: reserved.mark, tokensDelta, delivery: { kind: 'line', text: outcome.line } });
  return 'over';
}

async function halt(context: WorkerContext, job: HandedJob, unused: Omit<Settlement, 'delivery'>, error: AppError): Promise<'over'> {
  context.log('error', 'stop', { job: job.jobId, code: error.code, message: error.message });
  await deliver(context, job, unused, { status: 'halt', error });
  await sleepUntilAny(context.sleep, REST_MS, [context.draining, context.presence.stopping(job.state)]);
  return 'over';
}

function unknown(reading: RequestReading, why: string): DeliveredEnd {
  return { status: 'unknown', why, bodyBytes: Buffer.byteLength(reading.request.body) };
}

function lostEnd(job: HandedJob): DeliveredEnd {
  const { body } = job.data as { readonly body: string };
  return { status: 'unknown', why: 'the worker that made the call died', bodyBytes: Buffer.byteLength(body) };
}

function unreachable(code: string): AppError {
  return new AppError(`a worker cannot reach the provider for ten minutes (${code})`, { code: 'unreachable', exitCode: EXIT.notFinished });
}

type RequestReading = Extract<JobReading, { status: 'request' }>;

async function deliver(context: WorkerContext, job: HandedJob, settlement: Omit<Settlement, 'delivery'>, end: DeliveredEnd): Promise<void> {
  const delivery = end.status === 'line' ? { kind: end.status, text: end.line } : { kind: end.status, text: writeEnd(end) };
  await settle(context, job, { ...settlement, delivery });
}

/** A full or absent Redis refuses the end: it stays in memory, and its slot takes no new job, until it is told. */
async function settle(context: WorkerContext, job: HandedJob, settlement: Settlement): Promise<void> {
  await insist(() => context.presence.settle(job, settlement), { sleep: context.sleep, signal: context.ending });
}

async function blockAll(context: WorkerContext, waitMs: number): Promise<void> {
  const { blocked } = makeSharedKeys(context.link.queueName);
  const block = () => runScript(context.link.redis, BLOCK, [blocked], [Math.ceil(waitMs)]);
  await insist(block, { sleep: context.sleep, signal: context.ending });
}
