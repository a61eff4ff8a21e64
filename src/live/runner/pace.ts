import type { Redis } from 'ioredis';
import { createMeter } from '../limits/meter.ts';
import type { ThrottleView } from '../limits/throttle.ts';
import { createWaitNotices } from '../limits/wait-notices.ts';
import type { PaceView } from '../queue.ts';
import type { CallReport } from '../redis/ends.ts';
import type { SharedKeys } from '../redis/keys.ts';
import { PACE } from '../redis/limiter-scripts.ts';
import type { SharedLimits } from '../redis/limits.ts';
import { runScript } from '../redis/presence-scripts.ts';

/** The rate of the calls of all workers, as seen by the runner: from what they report with their answers, and from the limits in Redis. */
export interface SharedPace {
  /** One answered call of any worker. */
  onReport(report: CallReport): void;
  /** Reads the limits. Rejects while Redis is unavailable. */
  refresh(): Promise<void>;
  /** `waiting`: calls that have not left; `isFull`: as many are in flight as workers take. */
  view(calls: { readonly waiting: number; readonly isFull: boolean }): PaceView;
}

export interface SharedPaceOptions {
  readonly redis: Redis;
  readonly shared: SharedKeys;
  /** BullMQ's set of jobs whose back-off is not over. */
  readonly delayedKey: string;
  readonly limits: SharedLimits;
  readonly nowMs: () => number;
  /** For a person; never row text. */
  readonly warn: (message: string) => void;
}

export function createSharedPace({ redis, shared, delayedKey, limits, nowMs, warn }: SharedPaceOptions): SharedPace {
  const notices = createWaitNotices({ warn, clock: () => new Date(nowMs()), monotonicMs: nowMs });
  const meter = createMeter(nowMs);
  let throttle: ThrottleView = { ...limits, tokenCharging: limits.tokenCharging ?? 'actual', blockedMs: 0 };
  let refusals = 0;
  let delayed = 0;
  let bound: 'requests' | 'tokens' | null = null;

  return {
    onReport(report) {
      meter.onLeave(report.usedTokens ?? 0);
      meter.onLatency(report.durationMs);
    },
    async refresh() {
      const keys = [shared.requests, shared.tokens, shared.blocked, shared.limits, delayedKey];
      const reply = (await runScript(redis, PACE, keys, [])) as readonly string[];
      const [requests, tokens, tokenCharging, blockedMs, refused, waiting, requestsMs, tokensMs] = reply;
      throttle = {
        requestsPerMinute: requests === '' ? null : Number(requests),
        tokensPerMinute: tokens === '' ? null : Number(tokens),
        tokenCharging: tokenCharging === 'reserved' || tokenCharging === 'header' ? tokenCharging : 'actual',
        blockedMs: Number(blockedMs),
      };
      // Workers know the provider's message, and log it; here only the duration is known.
      if (throttle.blockedMs > 0) notices.begin({ type: 'refused', milliseconds: throttle.blockedMs, failure: null });
      else notices.onAnswer();
      refusals = Number(refused);
      delayed = Number(waiting);
      const [requestsWaitMs, tokensWaitMs] = [Number(requestsMs), Number(tokensMs)];
      bound = requestsWaitMs <= 0 && tokensWaitMs <= 0 ? null : tokensWaitMs > requestsWaitMs ? 'tokens' : 'requests';
    },
    view({ waiting, isFull }) {
      const waitingFor = throttle.blockedMs > 0 ? 'back-off' : (bound ?? (isFull ? 'concurrency' : null));
      return {
        ...meter.view,
        ...throttle,
        refusals,
        backOffs: { calls: delayed, nextMs: throttle.blockedMs > 0 ? throttle.blockedMs : null },
        waitingFor: waiting > 0 ? waitingFor : null,
      };
    },
  };
}
