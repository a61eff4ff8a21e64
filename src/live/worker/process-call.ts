import { AppError, EXIT } from '../../core/errors.ts';
import type { Usage } from '../../core/usage.ts';
import type { CallOutcome } from '../call.ts';
import { type AdvertisedLimits, readAdvertisedLimits } from '../limits/rate-headers.ts';
import { type DeliveredEnd, GIVEN_UP } from '../redis/ends.ts';
import { makeSharedKeys } from '../redis/keys.ts';
import { GIVE_BACK, REFUSE } from '../redis/limiter-scripts.ts';
import { writeToldLimits } from '../redis/limits.ts';
import { runScript } from '../redis/presence-scripts.ts';
import { retryUntilAnswered } from '../redis/retry.ts';
import type { HandedCall, WorkerContext } from './context.ts';
import { deliver, endAttempt, interruptionsOf, NO_ATTEMPT, type OpenAttempt, retryOptionsOf } from './deliver.ts';
import { type JobReading, readJob } from './read-job.ts';
import { waitForGrant } from './reserve.ts';
import { sleepUntilAny } from './wait.ts';

type CallRequest = Extract<JobReading, { status: 'request' }>;
type Answered = Extract<CallOutcome, { status: 'answered' }>;
type Refused = Extract<CallOutcome, { status: 'wait' | 'not-sent' }>;

const SHORTEST_BACK_OFF_MS = 500;
const LONGEST_BACK_OFF_MS = 10_000;
/** A provider unreachable for this long ends the run. */
const UNREACHABLE_MS = 600_000;
/** After a result that says that no call can succeed, this slot pauses, so that the runner can stop the others. */
const REST_MS = 1_000;
/** The estimate for a body before answers were seen: learned shares correct it. */
const BYTES_PER_TOKEN = 4;
const NO_BOUND = 'the worker has a limit of dollars a day, and nothing bounds what this call costs: no output cap, or no known price';
/** A row that killed this many workers is called alone. */
const SUSPECT_CRASHES = 2;

/** What happens to a job: it is over, must go back to the queue, or belongs to a newer runner, whose jobs are left to newer workers. */
export type Fate = 'over' | 'give-back' | 'postpone';

/** The course of one call: check, reserve, wait, call once, settle. @returns what it means for its job */
export async function processCall(context: WorkerContext, call: HandedCall): Promise<Fate> {
  if (await isTooNew(context, call, false)) return 'postpone';
  const reading = readJob(call.data, { ...call, secret: context.link.secret, ceilings: context.ceilings });
  if (reading.status === 'refused') {
    // Its runner may be newer than at the last heartbeat.
    return (await isTooNew(context, call, true)) ? 'postpone' : reject(context, call, reading.why);
  }
  const bodyBytes = Buffer.byteLength(reading.request.body);
  const boundNanoUsd = context.allowance.boundOf({ ...reading, bodyBytes });
  if (boundNanoUsd === null) return reject(context, call, NO_BOUND);
  const promptTokens = Math.ceil(reading.request.body.length / BYTES_PER_TOKEN);
  let unreachableMs = 0;
  for (let tries = 1; ; tries += 1) {
    const wanted = { promptTokens, capTokens: reading.outputTokens };
    const waited = await waitForGrant(context, call, () => context.learned.estimate({ ...wanted, chargesCap: chargesCap(context) }));
    if (waited.status !== 'go') return waited.status;
    const held = context.held.hold({ ...wanted, tokens: waited.tokens });
    const taken = context.allowance.take(boundNanoUsd);
    const leftAtMs = context.monotonicMs();
    const outcome = taken === null ? null : await callOnce(context, call, reading, waited.grant.crashes >= SUSPECT_CRASHES);
    context.held.release(held);
    const { tokens } = held;
    const attempt: OpenAttempt = { mark: waited.grant.mark, tokensDelta: -tokens };
    if (taken === null || outcome === null) return halt(context, call, { ...attempt, requestsDelta: -1 }, context.allowance.exceeded);
    if (isFree(outcome)) taken.giveBack();
    else taken.correct(reading.model, outcome.status === 'answered' ? outcome.usage : null);
    switch (outcome.status) {
      case 'answered':
        await answer(context, call, outcome, {
          ...{ attempt, promptTokens, tokens },
          ...{ capTokens: reading.outputTokens, durationMs: context.monotonicMs() - leftAtMs },
        });
        return 'over';
      case 'unknown':
        await deliver(context, call, { ...attempt, tokensDelta: 0 }, unknownEnd(reading, outcome.failure.message));
        return 'over';
      case 'stop':
        return halt(context, call, { ...attempt, requestsDelta: -1 }, outcome.failure);
      case 'wait':
        await refuse(context, call, attempt, outcome);
        break;
      case 'not-sent': {
        await endAttempt(context, call, { ...attempt, requestsDelta: -1, delivery: null });
        const { code } = outcome.failure;
        const backOffMs = Math.min(SHORTEST_BACK_OFF_MS * 2 ** Math.min(tries - 1, 5), LONGEST_BACK_OFF_MS) * (1 - context.random() / 4);
        context.log('warn', 'not-sent', { job: call.callId, code, waitMs: Math.round(backOffMs) });
        unreachableMs += backOffMs;
        if (unreachableMs > UNREACHABLE_MS) return halt(context, call, NO_ATTEMPT, unreachable(code));
        await sleepUntilAny(context.sleep, backOffMs, interruptionsOf(context, call));
        break;
      }
      default:
        outcome satisfies never;
    }
  }
}

async function isTooNew(context: WorkerContext, call: HandedCall, again: boolean): Promise<boolean> {
  const known = again ? undefined : context.presence.refusalOf(call.state);
  const refusal =
    known !== undefined ? known : await retryUntilAnswered(() => context.presence.readRefusal(call.state), retryOptionsOf(context));
  if (refusal !== null && context.presence.isNews(call.state, refusal)) context.log('error', 'newer-runner', { message: refusal });
  return refusal !== null;
}

async function reject(context: WorkerContext, call: HandedCall, why: string): Promise<'over'> {
  context.log('warn', 'job-refused', { job: call.callId, why });
  await deliver(context, call, NO_ATTEMPT, { status: 'reject', why });
  return 'over';
}

/** Known not to have been billed: refused, never sent, or answered with a failure. */
function isFree(outcome: CallOutcome | { readonly status: 'unknown' }): boolean {
  return outcome.status !== 'unknown' && (outcome.status !== 'answered' || outcome.failure !== null);
}

/** A call whose signal fired, or that failed because of a bug, may have been billed. */
async function callOnce(
  context: WorkerContext,
  call: HandedCall,
  reading: CallRequest,
  isSuspect: boolean,
): Promise<CallOutcome | { readonly status: 'unknown'; readonly failure: { readonly message: string } }> {
  const leaveGate = await context.alone.enter(isSuspect);
  const leftAtMs = context.monotonicMs();
  try {
    const outcome = await context.makeCall(reading.request, { queuedAt: call.queuedAt, signal: call.signal });
    if (isCongestion(outcome)) context.onCongestion(leftAtMs);
    else if (outcome.status === 'answered') context.onAnswer();
    return outcome;
  } catch (error) {
    if (call.signal.aborted) return { status: 'unknown', failure: { message: GIVEN_UP } };
    context.log('error', 'bug', { job: call.callId, stack: (error as Error).stack });
    return { status: 'unknown', failure: { message: 'the worker failed while it called' } };
  } finally {
    leaveGate();
  }
}

/** Too fast for the provider, or silence. */
function isCongestion(outcome: CallOutcome): boolean {
  if (outcome.status === 'answered') return outcome.failure?.status === 408;
  return outcome.status === 'wait' || (outcome.status === 'unknown' && outcome.failure.code === 'timeout');
}

/** Charges the real usage, tells all workers what the headers report, and delivers the line. */
async function answer(
  context: WorkerContext,
  call: HandedCall,
  outcome: Answered,
  reserved: {
    readonly attempt: OpenAttempt;
    readonly promptTokens: number;
    readonly tokens: number;
    readonly capTokens: number | null;
    readonly durationMs: number;
  },
): Promise<void> {
  const { usage, headers, failure } = outcome;
  const { isLearning } = context.learned;
  if (usage !== null) context.learned.learn(reserved.promptTokens, usage);
  const isBilled = failure === null;
  const used = usage !== null ? usage.inputTokens + usage.outputTokens : isBilled ? reserved.tokens : 0;
  const tokensDelta = chargesCap(context) ? 0 : used - reserved.tokens;
  const told = await follow(context, headers);
  const remaining = { requests: told?.remainingRequests ?? null, tokens: told?.remainingTokens ?? null };
  const charge = usage === null || reserved.capTokens === null ? {} : { charge: makeCharge(usage, reserved.capTokens) };
  const report = { durationMs: reserved.durationMs, usedTokens: usage === null ? null : used };
  await deliver(context, call, { ...reserved.attempt, tokensDelta, remaining, ...charge, report }, { status: 'line', line: outcome.line });
  // First, a paid answer is made safe.
  if (isLearning) await revalue(context);
}

/** Returns what calls in flight have taken in excess. If Redis does not get this, that much of the limit stays unused. */
async function revalue(context: WorkerContext): Promise<void> {
  const freed = context.held.revalue(chargesCap(context));
  if (freed === 0 || chargesCap(context)) return;
  const { tokens, limits } = makeSharedKeys(context.link.queueName);
  await runScript(context.link.redis, GIVE_BACK, [tokens, limits], [freed]).catch(() => {});
}

function chargesCap({ presence }: WorkerContext): boolean {
  return presence.tokenCharging === 'reserved';
}

function makeCharge({ inputTokens, outputTokens }: Usage, capTokens: number): NonNullable<OpenAttempt['charge']> {
  return { usedTokens: inputTokens + outputTokens, cappedTokens: inputTokens + capTokens };
}

/** A 429: the tokens were not used, and everybody waits as long as the provider says. No attempt is used; a row never fails because of a rate limit. */
async function refuse(context: WorkerContext, call: HandedCall, attempt: OpenAttempt, outcome: Refused): Promise<void> {
  await endAttempt(context, call, { ...attempt, delivery: null });
  const told = await follow(context, outcome.headers);
  const { blocked, limits } = makeSharedKeys(context.link.queueName);
  const resetMs = outcome.isAboutTokens ? told?.resetTokensMs : told?.resetRequestsMs;
  const values = [outcome.failure.retryAfterMs ?? '', outcome.isAboutTokens ? 1 : 0, context.random(), resetMs ?? ''];
  const refuseAll = () => runScript(context.link.redis, REFUSE, [blocked, limits], values);
  const waitMs = await retryUntilAnswered(refuseAll, retryOptionsOf(context));
  context.log('warn', 'wait', { job: call.callId, code: outcome.failure.code, waitMs });
}

/** Limits seldom change: only then is Redis told. */
async function follow(context: WorkerContext, headers: Headers | null): Promise<AdvertisedLimits | null> {
  if (headers === null) return null;
  const told = readAdvertisedLimits(headers);
  context.learned.hear(told);
  const { limits } = makeSharedKeys(context.link.queueName);
  const { requestsPerMinute, tokensPerMinute, requestBurstSeconds, tokenBurstSeconds } = told;
  if (context.presence.isNews('limits', [requestsPerMinute, tokensPerMinute, requestBurstSeconds, tokenBurstSeconds].join(' '))) {
    await writeToldLimits(context.link.redis, limits, told).catch(() => {});
  }
  return told;
}

async function halt(context: WorkerContext, call: HandedCall, attempt: OpenAttempt, error: AppError): Promise<'over'> {
  context.log('error', 'stop', { job: call.callId, code: error.code, message: error.message });
  await deliver(context, call, attempt, { status: 'halt', error });
  await sleepUntilAny(context.sleep, REST_MS, [context.draining, context.presence.stopping(call.state)]);
  return 'over';
}

function unknownEnd(reading: CallRequest, why: string): DeliveredEnd {
  return { status: 'unknown', why, bodyBytes: Buffer.byteLength(reading.request.body) };
}

function unreachable(code: string): AppError {
  return new AppError(`a worker could not reach the provider for ten minutes (${code})`, {
    code: 'unreachable',
    exitCode: EXIT.notFinished,
  });
}
