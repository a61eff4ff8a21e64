import { InvalidArgumentError } from 'commander';
import { isDay } from '../../core/day.ts';

// Parsers of flag values. Each throws InvalidArgumentError, which commander shows with the flag's name.

export function parseCount(text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new InvalidArgumentError('Give a whole number, for example 100.');
  return Number(text);
}

export function parsePositive(text: string): number {
  const count = parseCount(text);
  if (count === 0) throw new InvalidArgumentError('Give a number above 0.');
  return count;
}

/** @throws InvalidArgumentError for what is not a port */
export function parsePort(text: string): number {
  const port = parseCount(text);
  if (port > 65_535) throw new InvalidArgumentError('Give a port from 0 to 65535.');
  return port;
}

export function parseAmount(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError('Give a number from 0 on, for example 2.50.');
  return Number(text);
}

export function parsePrice(text: string): number {
  const amount = parseAmount(text);
  if (amount === 0) throw new InvalidArgumentError('Give an amount above 0, for example 2.50.');
  return amount;
}

/** A share up to a maximum. */
export function shareUpTo(most: number): (text: string) => number {
  return (text) => {
    const share = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (!(share <= most)) throw new InvalidArgumentError(`Give a share from 0 to ${most}, for example 0.1.`);
    return share;
  };
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** "90m", "6h", "1.5s", "200ms"; a bare number is seconds. */
export function parseTime(text: string): number {
  const time = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  if (time === null) throw new InvalidArgumentError('Give a time, for example 90s, 30m or 6h.');
  return Number(time[1]) * (UNIT_MS[time[2] ?? 's'] as number);
}

export function parseDuration(text: string): number {
  const time = parseTime(text);
  if (time === 0) throw new InvalidArgumentError('Give a time above 0, for example 6h.');
  return time;
}

const DAY_MS = 86_400_000;

/** "30d", or as parseTime; a bare number is days. */
export function parseAge(text: string): number {
  const days = /^(\d{1,6}(?:\.\d+)?)d?$/.exec(text)?.[1];
  if (days === undefined && !/[smh]$/.test(text)) throw new InvalidArgumentError('Give an age, for example 30d or 12h.');
  return days === undefined ? parseTime(text) : Number(days) * DAY_MS;
}

export function parseSeconds(text: string): readonly number[] {
  const milliseconds = text.split(',').map((part) => Number(part) * 1000);
  const isAscending = milliseconds.every((value, index) => value >= (milliseconds[index - 1] ?? 0));
  if (!isAscending) throw new InvalidArgumentError('Give ascending seconds, for example 5,20,65.');
  return milliseconds;
}

export function parseDate(text: string): string {
  if (!isDay(text)) throw new InvalidArgumentError('Give a date, for example 2026-11-22.');
  return text;
}

export function parseList(text: string): readonly string[] {
  return text.split(',').map((part) => part.trim());
}

/** `a, b, c` or `a | b | c`. */
export function parseLabels(text: string): readonly string[] {
  const labels = text.split(text.includes('|') ? '|' : ',').map((label) => label.trim());
  if (labels.length < 2 || labels.includes('')) throw new InvalidArgumentError("Give two or more, for example 'bug, question, other'.");
  const repeated = labels.find((label, index) => labels.indexOf(label) !== index);
  if (repeated !== undefined) throw new InvalidArgumentError(`"${repeated}" occurs twice.`);
  return labels;
}

export function collect(value: string, values: readonly string[]): readonly string[] {
  return [...values, value];
}
