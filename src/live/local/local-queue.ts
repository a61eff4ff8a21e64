import { setMaxListeners } from 'node:events';
import pLimit from 'p-limit';
import type { AppError } from '../../core/errors.ts';
import { readCapTokens } from '../../core/request.ts';
import type { ApiError } from '../../openai/api-error.ts';
import { createCallBreaker } from '../breaker.ts';
import type { CallOutcome, MakeCall } from '../call.ts';
import { createConcurrency } from '../limits/concurrency.ts';
import type { Bound } from '../limits/gcra.ts';
import { createMeter } from '../limits/meter.ts';
import type { Reservation, Throttle } from '../limits/throttle.ts';
import { LEARNING_HORIZON_MS } from '../limits/throttle-rules.ts';
import { createWaitNotices } from '../limits/wait-notices.ts';
import type { CallEnd, CallOwner, CallQueue, LiveCall, PaceView } from '../queue.ts';

export interface LocalQueueOptions {
  readonly makeCall: MakeCall;
  readonly throttle: Throttle;
  /** The provider's host, for a person. */
  readonly host?: string;
  /** The most calls in flight at once. */
  readonly ceiling: number;
  readonly clock: () => Date;
  /** Milliseconds that never decrease. */
  readonly monotonicMs: () => number;
  /** Resolves after this many milliseconds; rejects with the signal's reason if it fires first. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Uniform in 0..1. */
  readonly random: () => number;
  /** For a person; never row text. */
  readonly warn: (message: string) => void;
  /** Ends calls in flight, whose result is then unknown. */
  readonly signal: AbortSignal;
}

/** A call that has left. */
interface Departure {
  readonly reservation: Reservation;
  readonly leftAtMs: number;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 60_000;

/** The queue of one process: no server, nothing that outlives it. */
export function createLocalQueue(options: LocalQueueOptions): CallQueue {
  const { clock, monotonicMs, random, sleep, throttle } = options;
  const concurrency = createConcurrency({ ceiling: options.ceiling, monotonicMs });
  const breaker = createCallBreaker({ monotonicMs });
  const meter = createMeter(monotonicMs);
  const notices = createWaitNotices(options);
  const limit = pLimit(concurrency.limit);
  /** Fires when nothing more may leave. */
  const stopping = new AbortController();
  // Every call in flight listens: that is not a leak.
  setMaxListeners(0, stopping.signal, options.signal);
  /** Rows after those in flight wait in memory; more of them would only use memory. */
  const maxHeld = 2 * options.ceiling;
  const sleepers = new Map<Bound, number>();
  let lastRefusal: ApiError | null = null;
  let owner: CallOwner | null = null;
  let held = 0;
  /** Calls that have left, the oldest first. */
  const underWay = new Set<Departure>();
  /** Calls that keep their place while they wait for the provider to be reachable. */
  let unreached = 0;
  let awaitingChange: (() => void)[] = [];

  function halt(error: AppError): void {
    if (stopping.signal.aborted) return;
    stopping.abort();
    owner?.halt(error);
  }

  /** @returns false if the queue was stopped meanwhile */
  async function pause(milliseconds: number): Promise<boolean> {
    try {
      if (milliseconds > 0) await sleep(milliseconds, stopping.signal);
    } catch (error) {
      if (!stopping.signal.aborted) throw error;
    }
    return !stopping.signal.aborted;
  }

  async function backOff(milliseconds: number): Promise<boolean> {
    const endBackOff = meter.beginBackOff(monotonicMs() + milliseconds);
    try {
      return await pause(milliseconds);
    } finally {
      endBackOff();
    }
  }

  /** Waits until the limits let the call go. @returns null if the queue was stopped first */
  async function reserve(call: LiveCall): Promise<Reservation | null> {
    const wanted = { promptTokens: call.promptTokens, capTokens: readCapTokens(call.request) };
    for (;;) {
      const reservation = throttle.reserve(wanted);
      const { waitMs, bound, isFarOff } = reservation;
      if (bound === 'back-off') notices.begin({ type: 'refused', milliseconds: waitMs, failure: lastRefusal });
      else if (bound !== null) notices.begin({ type: 'limit', milliseconds: waitMs, bound });
      if (bound !== null) sleepers.set(bound, (sleepers.get(bound) ?? 0) + 1);
      const goesOn = bound === 'back-off' ? await backOff(waitMs) : await pause(isFarOff ? LEARNING_HORIZON_MS : waitMs);
      if (bound !== null) sleepers.set(bound, (sleepers.get(bound) ?? 0) - 1);
      if (goesOn && !isFarOff && !throttle.isBlocked()) return reservation;
      throttle.cancel(reservation);
      if (!goesOn) return null;
    }
  }

  /** Reserves and announces. @returns null if the queue was stopped first */
  async function depart(call: LiveCall): Promise<Departure | null> {
    const reservation = await reserve(call);
    if (reservation === null) return null;
    await owner?.announce([call]);
    if (stopping.signal.aborted) {
      throttle.cancel(reservation);
      await refuse(call, 'stopped');
      return null;
    }
    meter.onLeave(reservation.tokens);
    return { reservation, leftAtMs: monotonicMs() };
  }

  async function refuse(call: LiveCall, code: string): Promise<void> {
    await owner?.record([{ status: 'refused', customId: call.request.customId, code }]);
  }

  /** @returns false if the queue was stopped meanwhile */
  async function waitForContact(failure: ApiError, pauses: number): Promise<boolean> {
    const milliseconds = Math.min(FIRST_PAUSE_MS * 2 ** pauses, LONGEST_PAUSE_MS) * (1 - random() / 4);
    notices.begin({ type: 'unreached', milliseconds, failure });
    unreached += 1;
    try {
      return await backOff(milliseconds);
    } finally {
      unreached -= 1;
    }
  }

  /** Makes the call, again as long as it is refused without having been made. */
  async function attempt(call: LiveCall, queued: { readonly at: Date; readonly ms: number }): Promise<CallEnd> {
    const { customId } = call.request;
    const givenBack: CallEnd = { status: 'given-back', customId };
    for (let pauses = 0; ; ) {
      const departure = await depart(call);
      if (departure === null) return givenBack;
      underWay.add(departure);
      let outcome: CallOutcome;
      try {
        outcome = await options.makeCall(call.request, {
          queuedAt: queued.at,
          waitedMs: monotonicMs() - queued.ms,
          signal: options.signal,
        });
      } catch (error) {
        if (!options.signal.aborted) throw error;
        return makeUnknown(call, 'the run was ended before the answer came', true);
      } finally {
        underWay.delete(departure);
      }
      correct(departure, outcome);
      const stop = breaker.judge(outcome);
      if (stop !== null) halt(stop);
      switch (outcome.status) {
        case 'answered':
          return { status: 'answered', customId, line: outcome.line, ...(outcome.read === undefined ? {} : { read: outcome.read }) };
        case 'unknown':
          return makeUnknown(call, outcome.failure.message);
        case 'stop':
          await refuse(call, outcome.failure.code);
          return givenBack;
        case 'wait':
          await refuse(call, outcome.failure.code);
          break;
        case 'not-sent':
          await refuse(call, outcome.failure.code);
          if (!(await waitForContact(outcome.failure, pauses))) return givenBack;
          pauses = Math.min(pauses + 1, 30);
          break;
        default:
          outcome satisfies never;
      }
    }
  }

  /** Applies the outcome to the limits. */
  function correct({ reservation, leftAtMs }: Departure, outcome: CallOutcome): void {
    switch (outcome.status) {
      case 'answered': {
        const { usage, headers } = outcome;
        notices.onAnswer();
        const isBilled = outcome.failure === null;
        throttle.correct(reservation, { usage, isBilled, headers });
        if (usage !== null) meter.onCorrection(usage.inputTokens + usage.outputTokens - reservation.tokens);
        meter.onLatency(monotonicMs() - leftAtMs);
        if (outcome.failure?.status === 408) concurrency.onCongestion(leftAtMs);
        else concurrency.onAnswer(underWay.size + 1);
        break;
      }
      case 'unknown':
        throttle.correct(reservation, { usage: null, isBilled: true, headers: null });
        if (outcome.failure.code === 'timeout') concurrency.onCongestion(leftAtMs);
        break;
      case 'wait':
        meter.onRefusal();
        lastRefusal = outcome.failure;
        meter.onCorrection(-reservation.tokens);
        throttle.refuse(reservation, { ...outcome, retryAfterMs: outcome.failure.retryAfterMs });
        concurrency.onCongestion(leftAtMs);
        break;
      case 'stop':
      case 'not-sent':
        meter.onCorrection(-reservation.tokens);
        throttle.cancel(reservation);
        break;
      default:
        outcome satisfies never;
    }
    if (limit.concurrency !== concurrency.limit) limit.concurrency = concurrency.limit;
  }

  async function travel(call: LiveCall): Promise<void> {
    const queued = { at: clock(), ms: monotonicMs() };
    try {
      if (call.delayMs > 0) notices.begin({ type: 'fault', milliseconds: call.delayMs });
      const isDue = call.delayMs === 0 || (await backOff(call.delayMs));
      // The next call leaves only when this one is recorded, so that a crash leaves no more calls in doubt than were in flight.
      await limit(async () => {
        const end: CallEnd = isDue ? await attempt(call, queued) : { status: 'given-back', customId: call.request.customId };
        await owner?.record([end]);
      });
    } catch (error) {
      // The books cannot be kept, or it is a bug: either way nothing more may leave.
      halt(error as AppError);
    } finally {
      held -= 1;
      tellChange();
    }
  }

  function tellChange(): void {
    const told = awaitingChange;
    awaitingChange = [];
    for (const tell of told) tell();
  }

  const nextChange = () => new Promise<void>((resolve) => awaitingChange.push(resolve));

  function readWaitingFor(): PaceView['waitingFor'] {
    const [bound, calls] = [...sleepers].toSorted((a, b) => b[1] - a[1])[0] ?? [null, 0];
    if (calls > 0) return bound;
    if (unreached > underWay.size) return 'back-off';
    return limit.pendingCount > 0 ? 'concurrency' : null;
  }

  function readOldestMs(): number | null {
    const [oldest] = underWay;
    return oldest === undefined ? null : monotonicMs() - oldest.leftAtMs;
  }

  return {
    async attach(calls) {
      owner = calls;
      return [];
    },
    async add(call) {
      held += 1;
      void travel(call);
      while (held >= maxHeld && !stopping.signal.aborted) await nextChange();
    },
    stop: () => stopping.abort(),
    async drain() {
      while (held > 0) await nextChange();
    },
    get view() {
      const pace: PaceView = { ...meter.view, ...throttle.view, waitingFor: readWaitingFor() };
      const inFlight = underWay.size;
      return {
        inFlight,
        oldestMs: readOldestMs(),
        waiting: held - inFlight,
        concurrency: concurrency.limit,
        waits: notices.current,
        pace,
      };
    },
    async close() {
      stopping.abort();
    },
  };
}

function makeUnknown({ request }: LiveCall, why: string, isInterruption = false): CallEnd {
  return { status: 'unknown', customId: request.customId, bodyBytes: Buffer.byteLength(request.body), why, isInterruption };
}
