import type { Bound } from './gcra.ts';

/** What a call waits for before it leaves: a limit, room among the calls in flight, or the end of a back-off. */
export type WaitingFor = Bound | 'concurrency';

/** The rate of calls, as shown by the progress. */
export interface MeterView {
  /** Requests that left, and tokens that were used or are reserved for calls in flight, over the last minute. */
  readonly requestsLastMinute: number;
  readonly tokensLastMinute: number;
  /** Calls that wait because they were refused or failed; how long until the first of them continues, null without any. */
  readonly backOffs: { readonly calls: number; readonly nextMs: number | null };
  /** Refusals because of rate limits since the lane started. */
  readonly refusals: number;
  /** Of the latest answered calls; null before the first. */
  readonly latencyMs: { readonly p50: number; readonly p95: number } | null;
}

export interface Meter {
  onLeave(tokens: number): void;
  /** The difference between what was reserved and what was used. */
  onCorrection(tokens: number): void;
  onLatency(durationMs: number): void;
  onRefusal(): void;
  /** A back-off until that instant started. @returns a function that ends it */
  beginBackOff(untilMs: number): () => void;
  readonly view: MeterView;
}

const SECONDS = 60;
const REMEMBERED_LATENCIES = 500;

/** Counts by the second; memory does not grow. */
export function createMeter(monotonicMs: () => number): Meter {
  const seconds = Array.from({ length: SECONDS }, () => ({ second: -1, requests: 0, tokens: 0 }));
  const latencies: number[] = [];
  const backOffs = new Set<{ readonly untilMs: number }>();
  let answers = 0;
  let refusals = 0;

  function currentSecond() {
    const second = Math.floor(monotonicMs() / 1000);
    const slot = seconds[second % SECONDS] as (typeof seconds)[number];
    if (slot.second !== second) Object.assign(slot, { second, requests: 0, tokens: 0 });
    return slot;
  }

  function sumLastMinute(): { requests: number; tokens: number } {
    const oldest = Math.floor(monotonicMs() / 1000) - SECONDS;
    const counted = seconds.filter(({ second }) => second > oldest);
    return counted.reduce((sum, { requests, tokens }) => ({ requests: sum.requests + requests, tokens: sum.tokens + tokens }), {
      requests: 0,
      tokens: 0,
    });
  }

  function readLatency(): MeterView['latencyMs'] {
    if (latencies.length === 0) return null;
    const sorted = latencies.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] as number;
    return { p50: at(0.5), p95: at(0.95) };
  }

  return {
    onLeave(tokens) {
      const slot = currentSecond();
      slot.requests += 1;
      slot.tokens += tokens;
    },
    onCorrection(tokens) {
      currentSecond().tokens += tokens;
    },
    onLatency(durationMs) {
      latencies[answers % REMEMBERED_LATENCIES] = durationMs;
      answers += 1;
    },
    onRefusal() {
      refusals += 1;
    },
    beginBackOff(untilMs) {
      const entry = { untilMs };
      backOffs.add(entry);
      return () => backOffs.delete(entry);
    },
    get view() {
      const { requests, tokens } = sumLastMinute();
      const soonestMs = Math.min(...[...backOffs].map(({ untilMs }) => untilMs));
      return {
        requestsLastMinute: requests,
        tokensLastMinute: Math.max(0, Math.round(tokens)),
        backOffs: { calls: backOffs.size, nextMs: backOffs.size === 0 ? null : Math.max(0, soonestMs - monotonicMs()) },
        refusals,
        latencyMs: readLatency(),
      };
    },
  };
}
