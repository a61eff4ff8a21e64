const NANOS_PER_SECOND = 1_000_000_000n;
const NANOS_PER_DAY = 86_400n * NANOS_PER_SECOND;

/** A day counted from 1970: `2026-11-29`; years beyond four digits have a sign and six digits. `Date` ends in the year 275760, files do not. */
export function formatDay(day: number): string {
  // Years that begin in March, in eras of 400: then a leap day is the last day of its year.
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0);
  return `${formatYear(year)}-${pad(month)}-${pad(dayOfMonth)}`;
}

/** Nanoseconds since 1970: `2026-11-29T21:04:05.123Z`, with as many digits of a second as needed, in groups of three. */
export function formatInstant(nanos: bigint, isUtc: boolean): string {
  const ofDay = ((nanos % NANOS_PER_DAY) + NANOS_PER_DAY) % NANOS_PER_DAY;
  return `${formatDay(Number((nanos - ofDay) / NANOS_PER_DAY))}T${formatTimeOfDay(ofDay)}${isUtc ? 'Z' : ''}`;
}

/** Nanoseconds since midnight: `21:04:05`. */
export function formatTimeOfDay(nanos: bigint): string {
  const seconds = Number(nanos / NANOS_PER_SECOND);
  return (
    [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(pad).join(':') + formatFraction(nanos % NANOS_PER_SECOND)
  );
}

function formatFraction(nanos: bigint): string {
  if (nanos === 0n) return '';
  return `.${String(nanos)
    .padStart(9, '0')
    .replace(/(000){1,2}$/, '')}`;
}

function formatYear(year: number): string {
  if (year >= 0 && year <= 9999) return String(year).padStart(4, '0');
  return `${year < 0 ? '-' : '+'}${String(Math.abs(year)).padStart(6, '0')}`;
}

function pad(part: number): string {
  return String(part).padStart(2, '0');
}
