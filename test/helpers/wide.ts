import { type TestContext, test } from 'node:test';

/** Whether everything is tried: `npm run test:slow` and `npm run unit` do; `npm test` tries some of each table, so that it is done in a minute and a half. */
const isWide = process.env.ROWMILL_TEST_WIDE !== '0';

/** So many of a table's cases, spread over it, the first and the last among them; all of them where everything is tried. */
export function someOf<Case>(cases: readonly Case[], most: number): readonly Case[] {
  if (isWide || cases.length <= most) return cases;
  const step = most === 1 ? 0 : (cases.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, index) => cases[Math.round(index * step)] as Case);
}

/** How often a property is tried: `some` times where not everything is, a fifth of `most` if nothing is said. */
export function runsOf(most: number, some: number = Math.ceil(most / 5)): number {
  return isWide ? most : some;
}

type Body = (t: TestContext) => Promise<void> | void;

/** A test that takes long, or stands for a rarer kind of what is tested beside it: only where everything is tried. */
export function wideTest(title: string, ...how: readonly [Body] | readonly [test.TestOptions, Body]): void {
  if (!isWide) return;
  const [options, body] = how.length === 1 ? [{}, how[0]] : how;
  test(title, options, body);
}
