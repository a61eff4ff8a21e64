import { type TestContext, test } from 'node:test';

/** Whether every case is tried, as by `npm run test:slow` and `npm run unit`; `npm test` tries some of each table, so that it takes little more than a minute. */
const isWide = process.env.ROWMILL_TEST_WIDE !== '0';

/** At most this many of a table's cases, spread over it, including the first and the last; all of them if every case is tried. */
export function someOf<Case>(cases: readonly Case[], most: number): readonly Case[] {
  if (isWide || cases.length <= most) return cases;
  const step = most === 1 ? 0 : (cases.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, index) => cases[Math.round(index * step)] as Case);
}

/** How often a property is tried: `most` times, or `some` (by default a fifth) if not every case is tried. */
export function runsOf(most: number, some: number = Math.ceil(most / 5)): number {
  return isWide ? most : some;
}

type Body = (t: TestContext) => Promise<void> | void;

/** A test that takes long, or covers a rarer variant of its neighbours: it runs only if every case is tried. */
export function wideTest(title: string, ...how: readonly [Body] | readonly [test.TestOptions, Body]): void {
  if (!isWide) return;
  const [options, body] = how.length === 1 ? [{}, how[0]] : how;
  test(title, options, body);
}
