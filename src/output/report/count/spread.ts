import type { Histogram, Spread } from '../facts.ts';

/** Gathers numbers (whole, >= 0, below 2^53) in bounded memory. */
export interface SpreadCounter {
  add(value: number): void;
  /** Null if nothing was added. */
  read(): Spread | null;
  /** At most `bars` + 1 bars from the smallest number to the 99th percentile, and how many lie beyond; null if nothing was added. */
  readHistogram(bars: number): Histogram | null;
}

/** Parts of each power of two: a number is known within 1/256 of itself. */
const PARTS = 256;
const EXACT_BELOW = PARTS * 2;
const SLOTS = EXACT_BELOW + (53 - 9) * PARTS;

/** Counts in slots: one for each number below 512, then 256 for each power of two. Adding costs a few nanoseconds. */
export function createSpreadCounter(): SpreadCounter {
  const slots = new Uint32Array(SLOTS);
  let count = 0;
  let sum = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = 0;

  function readPercentile(share: number): number {
    const wanted = Math.max(1, Math.ceil(count * share));
    let seen = 0;
    for (let slot = 0; slot < SLOTS; slot += 1) {
      seen += slots[slot] as number;
      if (seen >= wanted) return Math.min(max, middleOf(slot));
    }
    return max;
  }

  return {
    add(value) {
      slots[slotOf(value)] = (slots[slotOf(value)] as number) + 1;
      count += 1;
      sum += value;
      if (value < min) min = value;
      if (value > max) max = value;
    },
    read() {
      if (count === 0) return null;
      return { count, mean: sum / count, p50: readPercentile(0.5), p95: readPercentile(0.95), p99: readPercentile(0.99), max };
    },
    readHistogram(bars) {
      if (count === 0) return null;
      const end = count < 100 ? max : readPercentile(0.99);
      const width = niceWidth((end - min) / bars);
      const from = Math.floor(min / width) * width;
      const counts: number[] = Array.from({ length: Math.min(bars + 1, Math.floor((end - from) / width) + 1) }, () => 0);
      let beyond = 0;
      for (let slot = 0; slot < SLOTS; slot += 1) {
        const rows = slots[slot] as number;
        if (rows === 0) continue;
        const value = Math.min(Math.max(middleOf(slot), min), max);
        const bar = Math.max(0, Math.floor((value - from) / width));
        if (bar < counts.length) counts[bar] = (counts[bar] as number) + rows;
        else beyond += rows;
      }
      return { from, width, counts, beyond };
    },
  };
}

function slotOf(value: number): number {
  if (value < EXACT_BELOW) return value | 0;
  const power = value < 0x80000000 ? 31 - Math.clz32(value) : Math.floor(Math.log2(value));
  const unit = 2 ** (power - 8);
  return Math.min(SLOTS - 1, EXACT_BELOW + (power - 9) * PARTS + Math.floor(value / unit) - PARTS);
}

/** The middle of a slot. */
function middleOf(slot: number): number {
  if (slot < EXACT_BELOW) return slot;
  const power = Math.floor((slot - EXACT_BELOW) / PARTS) + 9;
  const unit = 2 ** (power - 8);
  return (PARTS + ((slot - EXACT_BELOW) % PARTS)) * unit + Math.floor(unit / 2);
}

/** The next number above in human steps: 1, 2, 2.5 or 5 times a power of ten, at least 1. */
export function niceWidth(width: number): number {
  if (width <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(width));
  for (const step of [1, 2, 2.5, 5, 10]) if (step * power >= width && (step !== 2.5 || power > 1)) return step * power;
  return 10 * power;
}
