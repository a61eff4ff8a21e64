import type { Bill } from './bill.ts';

/** Counts how often each body was sent live before, by this process and earlier ones on the same bill; without noise it is not needed, and returns 0. */
export function createAskCounter(noise: number, bill: Bill): (bodySha256: string) => number {
  if (noise === 0) return () => 0;
  const counts = new Map<string, number>();
  for (const { lane, bodySha256 } of bill.read()) if (lane === 'live') counts.set(bodySha256, (counts.get(bodySha256) ?? 0) + 1);
  return (bodySha256) => {
    const before = counts.get(bodySha256) ?? 0;
    counts.set(bodySha256, before + 1);
    return before;
  };
}
