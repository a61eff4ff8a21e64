import { join } from 'node:path';
import { readJsonLines } from '../test/helpers/live-stage.ts';

/** The limits of the provider in the proof. */
export interface ProofLimits {
  readonly requestsPerMinute: number;
  readonly tokensPerMinute: number;
}

/** What the provider's own books say of how its limits were used and kept. */
export interface Evidence {
  readonly calls: number;
  /** Calls answered 429, as a share of all. */
  readonly refused: number;
  /** The binding limit's use over the steady part, as a share. */
  readonly used: number;
  /** The same from the first call to the last, learning and the last rows included. */
  readonly usedInAll: number;
  /** The fullest sliding window of a minute, as a share of the limit: the larger of requests and tokens. */
  readonly fullestMinute: number;
  readonly seconds: number;
}

interface Point {
  readonly atMs: number;
  readonly amount: number;
}

/** From the first call on, until learning is over; and before the last call, when rows run out. */
const WARM_UP_MS = 20_000;
const TAIL_MS = 5_000;
const MINUTE_MS = 60_000;

/** Reads the bill (tokens, by the moment of the answer) and the trace (requests). */
export function readEvidence(folder: string, limits: ProofLimits): Evidence {
  const bill = readJsonLines<{ at: string; usage: { total_tokens: number } }>(join(folder, 'bill.jsonl'));
  const trace = readJsonLines<{ at: string; path: string; status: number }>(join(folder, 'trace.jsonl'));
  const calls = trace.filter(({ path }) => path.endsWith('/chat/completions'));
  const tokens = bill.map(({ at, usage }) => ({ atMs: Date.parse(at), amount: usage.total_tokens }));
  const requests = calls.map(({ at }) => ({ atMs: Date.parse(at), amount: 1 }));
  const [firstMs, lastMs] = [requests[0]?.atMs ?? 0, requests.at(-1)?.atMs ?? 0];
  const useOf = (fromMs: number, toMs: number) => {
    const shareOf = (points: readonly Point[], perMinute: number) =>
      sum(points.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)) / (((toMs - fromMs) / MINUTE_MS) * perMinute);
    return Math.max(shareOf(tokens, limits.tokensPerMinute), shareOf(requests, limits.requestsPerMinute));
  };
  return {
    calls: calls.length,
    refused: calls.filter(({ status }) => status === 429).length / calls.length,
    used: useOf(firstMs + WARM_UP_MS, lastMs - TAIL_MS),
    usedInAll: useOf(firstMs, lastMs),
    fullestMinute: Math.max(fullest(tokens) / limits.tokensPerMinute, fullest(requests) / limits.requestsPerMinute),
    seconds: (lastMs - firstMs) / 1000,
  };
}

/** The most that came together in any minute. */
function fullest(points: readonly Point[]): number {
  let [most, inWindow, oldest] = [0, 0, 0];
  for (const { atMs, amount } of points) {
    inWindow += amount;
    for (let point = points[oldest]; point !== undefined && point.atMs <= atMs - MINUTE_MS; point = points[oldest]) {
      inWindow -= point.amount;
      oldest += 1;
    }
    most = Math.max(most, inWindow);
  }
  return most;
}

function sum(points: readonly Point[]): number {
  return points.reduce((total, { amount }) => total + amount, 0);
}
