import type { StartTimer } from '../../core/timer.ts';
import { AS_IT_IS, createCallDelivery } from '../cache-slots.ts';
import { createLiveLane, type LiveLane } from '../lane.ts';
import type { LocalLaneOptions } from '../local/local-lane.ts';
import { openBullmqQueue } from './queue.ts';

export interface RedisLaneOptions extends LocalLaneOptions {
  readonly redisUrl: string;
  /** The id of the state directory: one Redis may carry the calls of many. */
  readonly state: string;
  readonly model: string;
  /** `ROWMILL_QUEUE_SECRET`, shared by the workers; null if none is set. */
  readonly secret: string | null;
  readonly startTimer: StartTimer;
}

/**
 * The live lane whose calls are made by workers, in other processes or on other hosts. This process only hands calls over and collects ends.
 * @throws AppError exit 2 within five seconds if Redis cannot be used
 */
export async function openRedisLane(options: RedisLaneOptions): Promise<LiveLane> {
  const { limits, model, provider, tokenCharging } = options;
  const queue = await openBullmqQueue({
    ...options,
    ending: options.signal,
    identity: { model, keyFingerprint: provider.keyFingerprint, baseUrl: provider.baseUrl },
    deliver: createCallDelivery(options.delivery ?? AS_IT_IS, options.monotonicMs).takeInTurn,
    limits: {
      requestsPerMinute: limits.requestsPerMinute,
      tokensPerMinute: limits.tokensPerMinute,
      ...(tokenCharging === undefined ? {} : { tokenCharging }),
    },
  });
  return createLiveLane({ ...options, queue });
}
