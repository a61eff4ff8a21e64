import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warnOfRunBudget } from '../src/run/budget/facts.ts';

const COST = { expectedNanoUsd: 40_000_000, worstNanoUsd: 90_000_000 };

const CASES = [
  { name: 'no budget', nanoUsd: null, lane: 'batch', message: null },
  {
    name: 'less than is expected',
    nanoUsd: 30_000_000,
    lane: 'live',
    message: /^budget\.usd: \$0\.03 is less than the \$0\.04 this is expected to cost/,
  },
  {
    name: 'less than is expected, in batches',
    nanoUsd: 30_000_000,
    lane: 'batch',
    message: /the run will stop before the end \(exit 5\)$/,
  },
  {
    name: 'between that and the worst case',
    nanoUsd: 50_000_000,
    lane: 'batch',
    message: /worst case, \$0\.09, .*several batches, one after another/,
  },
  { name: 'between them, live', nanoUsd: 50_000_000, lane: 'live', message: null },
  { name: 'the worst case', nanoUsd: 90_000_000, lane: 'batch', message: null },
] as const;

for (const { name, nanoUsd, lane, message } of CASES) {
  test(`a plan warns about the budget of a run if necessary: ${name}`, () => {
    const budget = { nanoUsd, nanoUsdPerMonth: null, nanoUsdTotal: null, nanoUsdPerRow: null };
    const warning = warnOfRunBudget(budget, COST, lane);
    if (message === null) assert.equal(warning, null);
    else assert.match(warning ?? '', message);
  });
}

test('a plan does not warn if nothing is sent, or no price is known', () => {
  assert.equal(warnOfRunBudget({ nanoUsd: 1, nanoUsdPerMonth: null, nanoUsdTotal: null, nanoUsdPerRow: null }, null, 'batch'), null);
});
