const NANOS_PER_DAY = 86_400_000_000_000n;

/** The day of `2026-11-29`, counted from 1970; years beyond four digits have a sign. */
export function parseDay(text: string): number {
  const [, year = Number.NaN, month = Number.NaN, day = Number.NaN] = (/^([+-]?\d{4,})-(\d\d)-(\d\d)$/.exec(text) ?? []).map(Number);
  // Years that begin in March, in eras of 400: then a leap day is the last day of its year.
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
}

/** Nanoseconds since midnight of `21:04:05.123`, whatever zone follows. */
export function parseTimeOfDay(text: string): bigint {
  const [, hours = '', minutes = '', seconds = '', fraction = ''] = /^(\d\d):(\d\d):(\d\d)(?:\.(\d+))?Z?$/.exec(text) ?? [];
  const whole = BigInt(hours) * 3_600n + BigInt(minutes) * 60n + BigInt(seconds);
  return whole * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/** Nanoseconds since 1970 of `2026-11-29T21:04:05.123Z`. */
export function parseInstant(text: string): bigint {
  const [day = '', time = ''] = text.split('T');
  return BigInt(parseDay(day)) * NANOS_PER_DAY + parseTimeOfDay(time);
}
