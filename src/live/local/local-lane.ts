import type { PriceTerms } from '../../core/event.ts';
import type { JobLimits } from '../../core/job.ts';
import type { Request } from '../../core/request.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { ApiError } from '../../openai/api-error.ts';
import type { Provider } from '../../openai/provider.ts';
import { AS_IT_IS, type CallDelivery, createCallDelivery, type LiveDelivery } from '../cache-slots.ts';
import { createMakeCall, type MakeCall } from '../call.ts';
import { createLiveLane, type LiveLane } from '../lane.ts';
import { createThrottle, type TokenCharging } from '../limits/throttle.ts';
import { createLocalQueue } from './local-queue.ts';

export interface LocalLaneOptions {
  readonly ledger: Ledger;
  readonly provider: Provider;
  /** The job's limits; the others are learned. */
  readonly limits: Pick<JobLimits, 'requestsPerMinute' | 'tokensPerMinute' | 'concurrency'>;
  /** How the provider charges its token limit, if known. */
  readonly tokenCharging?: TokenCharging;
  /** Whether a key, whose latest outcome was just recorded, is to be sent again unchanged. */
  readonly isDueAgain: (id: number) => boolean;
  /** Whether another try of this request stays within the budget. */
  readonly isAffordable: (request: Request) => boolean;
  /** As in LiveContext. */
  readonly readTerms?: () => PriceTerms;
  /** How calls are delivered; without it, bodies are sent unchanged. */
  readonly delivery?: LiveDelivery;
  /** Called when a call had to be repeated without its prompt cache settings. */
  readonly onUndelivered?: () => Promise<void>;
  /** A simulator gave an answer that is about to be stored. */
  readonly onSimulated?: () => Promise<void>;
  readonly clock: () => Date;
  /** Milliseconds that never decrease. */
  readonly monotonicMs: () => number;
  /** Resolves after this many milliseconds; rejects with the signal's reason if it fires first. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Uniform in 0..1. */
  readonly random: () => number;
  /** A fresh id of letters and digits. */
  readonly randomId: () => string;
  /** For a person; never row text. */
  readonly warn: (message: string) => void;
  /** Fires when no further work is wanted: nothing more leaves, calls in flight finish. */
  readonly stopping: AbortSignal;
  /** Fires when calls in flight must end too. */
  readonly signal: AbortSignal;
}

/** Calls in flight if the job sets no limit: this many may become unknown when the process dies. */
const DEFAULT_CEILING = 64;

/** The live lane of one process: throttle, calls and queue in memory, and nothing else needed. */
export function createLocalLane(options: LocalLaneOptions): LiveLane {
  const { clock, limits, monotonicMs, random, randomId } = options;
  const lineIds = `live_${randomId()}`;
  let lines = 0;
  const makeLineId = () => `${lineIds}_${++lines}`;
  const queue = createLocalQueue({
    ...options,
    host: new URL(options.provider.baseUrl).host,
    makeCall: deliverCalls(
      createMakeCall({ provider: options.provider, makeLineId, clock, monotonicMs }),
      createCallDelivery(options.delivery ?? AS_IT_IS, monotonicMs),
    ),
    throttle: createThrottle({
      ...limits,
      monotonicMs,
      random,
      ...(options.tokenCharging === undefined ? {} : { tokenCharging: options.tokenCharging }),
    }),
    ceiling: limits.concurrency ?? DEFAULT_CEILING,
  });
  return createLiveLane({ ...options, queue });
}

function deliverCalls(makeCall: MakeCall, delivery: CallDelivery): MakeCall {
  return async (request, options) => {
    let delivered: Awaited<ReturnType<CallDelivery['take']>>;
    try {
      delivered = await delivery.take(request, options.signal);
    } catch (error) {
      if (!options.signal.aborted) throw error;
      const failure = new ApiError('the run was ended before the call left', { kind: 'not-sent', code: 'stopped' });
      return { status: 'not-sent', failure, headers: null, isAboutTokens: false };
    }
    let hasAnswer = false;
    try {
      const outcome = await makeCall({ ...request, body: delivered.body }, options);
      hasAnswer = outcome.status === 'answered' && outcome.failure === null;
      return outcome;
    } finally {
      delivered.end(hasAnswer);
    }
  };
}
