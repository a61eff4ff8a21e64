import { readJsonLines } from './calls.ts';

/** How the limits of an account were used and kept, by the provider's own books. */
export interface AccountUse {
  readonly calls: number;
  /** Calls answered 429, as a share of all. */
  readonly refused: number;
  /** The binding limit's use over the steady part, as a share. */
  readonly used: number;
  /** The same from the first call to the last. */
  readonly usedInAll: number;
  /** The fullest window, as a share of what is allowed in a window of its length: the larger of requests and tokens. */
  readonly fullest: number;
  /** From the first call to the last. */
  readonly seconds: number;
}

/** The account, and what is looked at. */
export interface Account {
  /** Null: this one is not limited. */
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  /** The seconds of a limit that are allowed within a window of this length. Windows for which it is infinite are not looked at. */
  readonly allowedSeconds: (windowMs: number) => number;
  /** The steady part begins this long after the first call, and ends this long before the last. */
  readonly warmUpMs: number;
  readonly tailMs: number;
}

/** The provider's books. */
export interface AccountBooks {
  /** One line a billed call. */
  readonly billFile: string;
  /** One line a request. */
  readonly traceFile: string;
}

interface Point {
  readonly atMs: number;
  readonly amount: number;
}

const MINUTE_MS = 60_000;
const REFUSED_STATUS = 429;

/** Requests count when they were answered, refused ones too; tokens when they were billed. @throws without any call */
export function readAccountUse({ billFile, traceFile }: AccountBooks, account: Account): AccountUse {
  const bill = readJsonLines<{ readonly at: string; readonly usage: { readonly total_tokens: number } }>(billFile);
  const trace = readJsonLines<{ readonly at: string; readonly path: string; readonly status: number }>(traceFile);
  const calls = trace.filter(({ path }) => path.endsWith('/chat/completions'));
  const requests = calls.map(({ at }) => ({ atMs: Date.parse(at), amount: 1 }));
  const tokens = bill.map(({ at, usage }) => ({ atMs: Date.parse(at), amount: usage.total_tokens }));
  const [firstMs, lastMs] = [requests[0]?.atMs, requests.at(-1)?.atMs];
  if (firstMs === undefined || lastMs === undefined) throw new Error(`${traceFile}: no call was made`);
  const limits = [
    { points: requests, perMinute: account.requestsPerMinute },
    { points: tokens, perMinute: account.tokensPerMinute },
  ].flatMap(({ points, perMinute }) => (perMinute === null ? [] : [{ points, perMs: perMinute / MINUTE_MS }]));
  const useBetween = (fromMs: number, toMs: number) =>
    Math.max(...limits.map(({ points, perMs }) => sumBetween(points, fromMs, toMs) / ((toMs - fromMs) * perMs)));
  return {
    calls: calls.length,
    refused: calls.filter(({ status }) => status === REFUSED_STATUS).length / calls.length,
    used: useBetween(firstMs + account.warmUpMs, lastMs - account.tailMs),
    usedInAll: useBetween(firstMs, lastMs),
    fullest: Math.max(...limits.map(({ points, perMs }) => findFullest(points, perMs, account.allowedSeconds))),
    seconds: (lastMs - firstMs) / 1000,
  };
}

/** Every window that begins with a call and ends with one: none between them is fuller. */
function findFullest(points: readonly Point[], perMs: number, allowedSeconds: Account['allowedSeconds']): number {
  let fullest = 0;
  for (const [first, { atMs: fromMs }] of points.entries()) {
    let amount = 0;
    for (let last = first; last < points.length; last += 1) {
      const point = points[last] as Point;
      amount += point.amount;
      const allowed = allowedSeconds(point.atMs - fromMs) * 1000 * perMs;
      if (allowed === Number.POSITIVE_INFINITY) break;
      fullest = Math.max(fullest, amount / allowed);
    }
  }
  return fullest;
}

function sumBetween(points: readonly Point[], fromMs: number, toMs: number): number {
  return points.reduce((sum, { atMs, amount }) => (atMs >= fromMs && atMs < toMs ? sum + amount : sum), 0);
}
