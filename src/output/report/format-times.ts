/** A duration for a person: `0.8 s`, `42 s`, `3 min 05 s`, `2 h 11 min`. Between two instants of a clock that was set back it is unknown. */
export function formatDuration(milliseconds: number): string {
  if (!(milliseconds >= 0)) return 'not known (the clock was set back)';
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 59.95) return `${seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600)
    return whole < 600 ? `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s` : `${Math.round(whole / 60)} min`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** An instant, to the minute: `2026-11-22 05:21 UTC`. */
export function formatInstant(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`;
}

/** The time of day, to the second: `05:21:40`. */
export function formatTimeOfDay(at: number): string {
  return new Date(at).toISOString().slice(11, 19);
}

/** A share of 1 in percent: `0.4 %`, `12 %`. */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent === 0) return '0 %';
  if (percent < 0.1) return '< 0.1 %';
  return `${percent < 9.95 || (percent > 99 && percent < 100) ? percent.toFixed(1) : Math.round(percent)} %`;
}
