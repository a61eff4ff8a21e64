/** What a number format shows of a point in time. */
export interface DateForm {
  readonly hasDate: boolean;
  readonly hasTime: boolean;
}

const DATE: DateForm = { hasDate: true, hasTime: false };
const TIME: DateForm = { hasDate: false, hasTime: true };
const BOTH: DateForm = { hasDate: true, hasTime: true };

/** Formats that are not listed in files (ECMA-376, 18.8.30; 27 to 58 are those of East Asian versions). */
const BUILT_IN: readonly (readonly [first: number, last: number, form: DateForm])[] = [
  [14, 17, DATE],
  [18, 21, TIME],
  [22, 22, BOTH],
  [27, 31, DATE],
  [32, 35, TIME],
  [36, 36, DATE],
  [45, 47, TIME],
  [50, 54, DATE],
  [55, 56, TIME],
  [57, 58, DATE],
];

/** Decides whether numbers of a format are dates; null for numbers. @param code its own pattern, if it has one */
export function tellDateForm(id: number, code: string | undefined): DateForm | null {
  if (code === undefined) return BUILT_IN.find(([first, last]) => id >= first && id <= last)?.[2] ?? null;
  // Of positive values; without quoted texts, escaped characters, colours and conditions. Elapsed hours in brackets stay.
  const [pattern = ''] = code
    .replaceAll(/"[^"]*"|\\.|_.|\*./g, '')
    .replaceAll(/\[(?!h+\]|m+\]|s+\])[^\]]*\]/gi, '')
    .split(';');
  if (/general/i.test(pattern)) return null;
  const hasTime = /[hs]/i.test(pattern);
  // A single m is a month; next to hours or seconds it is minutes.
  const hasDate = /[dy]/i.test(pattern) || (/m/i.test(pattern) && !hasTime);
  return hasDate || hasTime ? { hasDate, hasTime } : null;
}

const MS_PER_DAY = 86_400_000;
const DAYS_TO_1970 = 25_569;
const DAYS_FROM_1900_TO_1904 = 1_462;
/** There was no 29 February 1900, but Excel counts one. */
const FALSE_LEAP_DAY = 60;

/** A count of days as ISO 8601, to the millisecond: `2026-11-29`, `2026-11-29T21:04:05`, `21:04:05`; null if it is not a calendar date. */
export function formatSerial(days: number, form: DateForm, isFrom1904: boolean): string | null {
  const serial = isFrom1904 ? days + DAYS_FROM_1900_TO_1904 : days;
  if (!form.hasDate) return days < 0 ? null : formatHours(Math.round(days * MS_PER_DAY));
  if (serial < 0) return null;
  const shifted = serial < FALSE_LEAP_DAY ? serial + 1 : serial;
  const date = new Date(Math.round((shifted - DAYS_TO_1970) * MS_PER_DAY));
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999) return null;
  const [day = '', time = ''] = date.toISOString().slice(0, -1).split('T');
  const isMidnight = time === '00:00:00.000';
  return form.hasTime || !isMidnight ? `${day}T${time.replace('.000', '')}` : day;
}

/** Hours may exceed those of a day: elapsed time. */
function formatHours(milliseconds: number): string {
  const parts = [Math.floor(milliseconds / 3_600_000), Math.floor(milliseconds / 60_000) % 60, Math.floor(milliseconds / 1_000) % 60];
  const fraction = milliseconds % 1_000;
  return parts.map((part) => String(part).padStart(2, '0')).join(':') + (fraction === 0 ? '' : `.${String(fraction).padStart(3, '0')}`);
}
