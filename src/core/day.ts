/** Whether a text is a day of the calendar, `2026-11-22`; February 30 is none. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const instant = Date.parse(text);
  // JavaScript takes a day that does not exist for one of the next month.
  return !Number.isNaN(instant) && new Date(instant).toISOString().startsWith(text);
}

/** The day it is at an instant, `2026-11-22`: in a time zone by its IANA name, or by UTC. */
export function nameDay(instant: Date, timezone: string | null): string {
  if (timezone === null) return instant.toISOString().slice(0, 10);
  const format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, year: 'numeric', month: '2-digit', day: '2-digit' });
  const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, value]));
  return `${parts.get('year')?.padStart(4, '0')}-${parts.get('month')}-${parts.get('day')}`;
}

/** Whether a text is the IANA name of a time zone, `Europe/Berlin`. An offset is none: it knows no summer. */
export function isTimezone(name: string): boolean {
  try {
    return /^[A-Za-z]/.test(name) && new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
