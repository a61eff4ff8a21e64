/** No server may make us sleep longer than this in one step. */
export const MAX_RETRY_AFTER_MS = 60_000;
/** A wait of more than a hundred years is meaningless, and may exceed the range of dates. */
const MAX_ASKED_MS = 3_153_600_000_000;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const WORD_MS: Readonly<Record<string, number>> = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * A Go-style duration as in `x-ratelimit-reset-*` ("1s", "6m0s", "17ms", "1m12.5s"); a bare number is seconds (Azure).
 * @returns milliseconds, or null if the text is not a duration
 */
export function parseDuration(text: string): number | null {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed) * 1000 <= MAX_ASKED_MS ? Number(trimmed) * 1000 : null;
  if (!/^(\d+(\.\d+)?(ms|h|m|s))+$/.test(trimmed)) return null;
  let totalMs = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g))
    totalMs += Number(amount) * (UNIT_MS[unit as string] as number);
  return totalMs <= MAX_ASKED_MS ? totalMs : null;
}

/**
 * How long a 429 asks to wait: `retry-after-ms`, else `retry-after` (seconds or an HTTP date), else "try again in 644ms" or "retry after 3
 * seconds" in the message.
 * @returns milliseconds, which may be a day; null if nothing usable was found (negative values, garbage and more than a hundred years are ignored)
 */
export function readAskedWait(headers: Headers | undefined, message: string, now: Date): number | null {
  const askedMs = readAnyWait(headers, message, now);
  return askedMs === null || askedMs > MAX_ASKED_MS ? null : askedMs;
}

function readAnyWait(headers: Headers | undefined, message: string, now: Date): number | null {
  const milliseconds = Number(headers?.get('retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(milliseconds) && milliseconds >= 0) return Math.ceil(milliseconds);
  const after = headers?.get('retry-after') ?? null;
  if (after !== null) {
    const seconds = Number(after);
    if (Number.isFinite(seconds) && seconds >= 0 && after.trim() !== '') return Math.ceil(seconds * 1000);
    const date = Date.parse(after);
    if (Number.isNaN(seconds) && !Number.isNaN(date)) return Math.max(0, date - now.getTime());
  }
  return readSaidWait(message);
}

/** The same for a single step: at most MAX_RETRY_AFTER_MS, whatever the server says. */
export function readRetryAfter(headers: Headers | undefined, message: string, now: Date): number | null {
  return capWait(readAskedWait(headers, message, now));
}

export function capWait(milliseconds: number | null): number | null {
  return milliseconds === null ? null : Math.min(milliseconds, MAX_RETRY_AFTER_MS);
}

function readSaidWait(message: string): number | null {
  const compact = /(?:try again|retry) (?:in|after) ((?:\d+(?:\.\d+)?(?:ms|h|m|s))+)\b/i.exec(message);
  const compactMs = compact === null ? null : parseDuration(compact[1] as string);
  if (compactMs !== null) return Math.ceil(compactMs);
  const words = /(?:try again|retry) (?:in|after) (\d+(?:\.\d+)?) (second|minute|hour|day)s?\b/i.exec(message);
  if (words === null) return null;
  return Math.ceil(Number(words[1]) * (WORD_MS[(words[2] as string).toLowerCase()] as number));
}
