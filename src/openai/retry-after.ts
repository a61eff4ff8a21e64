/** No server may make us sleep longer than this in one step. */
export const MAX_RETRY_AFTER_MS = 60_000;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * A Go-style duration as in `x-ratelimit-reset-*` ("1s", "6m0s", "17ms", "1m12.5s"); a bare number is seconds (Azure).
 * @returns milliseconds, or null when the text is no duration
 */
export function parseDuration(text: string): number | null {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed) * 1000;
  if (!/^(\d+(\.\d+)?(ms|h|m|s))+$/.test(trimmed)) return null;
  let totalMs = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g))
    totalMs += Number(amount) * (UNIT_MS[unit as string] as number);
  return totalMs;
}

/**
 * How long a 429 asks to wait: `retry-after-ms`, else `retry-after` (seconds or an HTTP date), else "try again in 644ms" in the message.
 * @returns 0..MAX_RETRY_AFTER_MS, or null when nothing usable was said (negative and garbage count as nothing)
 */
export function readRetryAfter(headers: Headers | undefined, message: string, now: Date): number | null {
  const milliseconds = Number(headers?.get('retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(milliseconds) && milliseconds >= 0) return cap(milliseconds);
  const after = headers?.get('retry-after') ?? null;
  if (after !== null) {
    const seconds = Number(after);
    if (Number.isFinite(seconds) && seconds >= 0 && after.trim() !== '') return cap(seconds * 1000);
    const date = Date.parse(after);
    if (Number.isNaN(seconds) && !Number.isNaN(date)) return cap(Math.max(0, date - now.getTime()));
  }
  const said = /try again in ((?:\d+(?:\.\d+)?(?:ms|h|m|s))+)/i.exec(message);
  const saidMs = said === null ? null : parseDuration(said[1] as string);
  return saidMs === null ? null : cap(saidMs);
}

function cap(milliseconds: number): number {
  return Math.min(Math.ceil(milliseconds), MAX_RETRY_AFTER_MS);
}
