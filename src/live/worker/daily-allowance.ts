import { AppError, EXIT } from '../../core/errors.ts';
import { formatUsd } from '../../core/summary.ts';
import type { Usage } from '../../core/usage.ts';
import { makeCost } from '../../money/cost.ts';
import { estimateCost } from '../../money/estimate-cost.ts';
import { type FindPrice, findPrice as findBuiltInPrice } from '../../money/price.ts';

/** What one worker may do within a UTC day, whoever asks for it; null limits nothing. */
export interface DailyLimits {
  readonly calls: number | null;
  readonly nanoUsd: number | null;
}

/** The parts of a call that determine its price. */
export interface PricedCall {
  readonly model: string;
  readonly bodyBytes: number;
  /** Null if the body sets no cap. */
  readonly outputTokens: number | null;
}

/** Counts what a worker has used today, in memory: a restarted worker starts at zero. */
export interface DailyAllowance {
  /** The most a call can cost, in nano-dollars; 0 without a dollar limit, null if there is one and the call's cost has no bound. */
  boundOf(call: PricedCall): number | null;
  /** Takes one call at its upper bound. @returns null if the day's limit does not allow it */
  take(boundNanoUsd: number): TakenCall | null;
  /** Why nothing more can be taken today. */
  readonly exceeded: AppError;
}

export interface TakenCall {
  /** The call cost nothing and does not count. */
  giveBack(): void;
  /** The call has its answer; a usage of null keeps the bound. */
  correct(model: string, usage: Usage | null): void;
}

export function createDailyAllowance(limits: DailyLimits, clock: () => Date, findPrice: FindPrice = findBuiltInPrice): DailyAllowance {
  let day = '';
  let calls = 0;
  let nanoUsd = 0;

  function today(): string {
    const now = clock().toISOString().slice(0, 10);
    if (now !== day) [day, calls, nanoUsd] = [now, 0, 0];
    return day;
  }

  const priceOf = (model: string) => findPrice(model, { lane: 'live', tier: null, at: clock().toISOString() });

  return {
    boundOf({ model, bodyBytes, outputTokens }) {
      if (limits.nanoUsd === null) return 0;
      const price = priceOf(model);
      if (price === null || outputTokens === null) return null;
      const expected = { low: outputTokens, expected: outputTokens, atMost: outputTokens };
      const forecast = { inputTokens: bodyBytes, sharedTokens: 0, inputTokensAtMost: bodyBytes, outputTokens: expected };
      return estimateCost(price, forecast)?.worstNanoUsd ?? null;
    },
    take(boundNanoUsd) {
      const takenOn = today();
      if (limits.calls !== null && calls + 1 > limits.calls) return null;
      if (limits.nanoUsd !== null && nanoUsd + boundNanoUsd > limits.nanoUsd) return null;
      calls += 1;
      nanoUsd += boundNanoUsd;
      // A call that ends on the next day belongs to the day on which it left.
      const isToday = () => today() === takenOn;
      return {
        giveBack() {
          if (!isToday()) return;
          calls -= 1;
          nanoUsd -= boundNanoUsd;
        },
        correct(model, usage) {
          if (limits.nanoUsd === null || usage === null || !isToday()) return;
          const price = priceOf(model);
          const cost = price === null ? null : makeCost(usage, price);
          if (cost !== null) nanoUsd += cost - boundNanoUsd;
        },
      };
    },
    get exceeded() {
      const allowed = [
        ...(limits.calls === null ? [] : [`${limits.calls} calls`]),
        ...(limits.nanoUsd === null ? [] : [`$${formatUsd(limits.nanoUsd)}`]),
      ];
      const message = `a worker has used up what its own environment allows it in a day (${allowed.join(', ')}, until midnight UTC); nothing is lost: raise it there, or run the same command tomorrow`;
      return new AppError(message, { code: 'worker_limit', exitCode: EXIT.stopped });
    },
  };
}
