/** Whether a text is a calendar day, `2026-11-22`; February 30 is not. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const instant = Date.parse(text);
  // JavaScript turns a day that does not exist into one of the next month.
  return !Number.isNaN(instant) && new Date(instant).toISOString().startsWith(text);
}

/** The day at an instant, `2026-11-22`: in a time zone by its IANA name, or in UTC. */
export function nameDay(instant: Date, timezone: string | null): string {
  if (timezone === null) return instant.toISOString().slice(0, 10);
  const format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, year: 'numeric', month: '2-digit', day: '2-digit' });
  const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, value]));
  return `${parts.get('year')?.padStart(4, '0')}-${parts.get('month')}-${parts.get('day')}`;
}

/** Whether a text is the IANA name of a time zone, `Europe/Berlin`. An offset is not: it has no summer time. */
export function isTimezone(name: string): boolean {
  try {
    return /^[A-Za-z]/.test(name) && new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** Only days before 10000-01-01; a later time from a provider is meaningless. */
const LAST_DAY = 2_932_896;

/** The UTC day this many seconds after 1970; null if they are not a plausible time. */
export function dayOfSeconds(seconds: number): string | null {
  const day = Math.floor(seconds / 86_400);
  return day >= 0 && day <= LAST_DAY ? new Date(day * 86_400_000).toISOString().slice(0, 10) : null;
}

/** `2026-11-22`, UTC, of a day or an instant. */
export function dayOf(at: string): string {
  return at.slice(0, 'YYYY-MM-DD'.length);
}

/** `2026-11` of a day or an instant. */
export function monthOf(at: string): string {
  return at.slice(0, 'YYYY-MM'.length);
}

/** The first instant of the month after `2026-11`. */
export function nextMonth(month: string): string {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number)).toISOString();
}
