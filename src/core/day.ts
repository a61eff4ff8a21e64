/** Whether a text is a day of the calendar, `2026-11-22`; February 30 is none. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const instant = Date.parse(text);
  // JavaScript takes a day that does not exist for one of the next month.
  return !Number.isNaN(instant) && new Date(instant).toISOString().startsWith(text);
}
