import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warnOfReach } from '../src/run/budget/facts.ts';
import type { BudgetReach } from '../src/run/budget/reach.ts';

const usd = (dollars: number) => Math.round(dollars * 1e9);

/** 100 requests, which reserve $0.09. */
const REACH: BudgetReach = {
  name: 'the budget of $0.05',
  isOfRun: true,
  limitNanoUsd: usd(0.05),
  committedNanoUsd: 0,
  leftNanoUsd: usd(0.05),
  requests: 100,
  reservedNanoUsd: usd(0.09),
  nextNanoUsd: usd(0.0009),
  requestsAtATime: 55,
  batches: 3,
  enoughNanoUsd: usd(0.09),
};

const CASES = [
  { name: 'no budget', reaches: [], lane: 'batch', messages: [] },
  {
    name: 'less than is expected',
    reaches: [{ ...REACH, name: 'the budget of $0.03', limitNanoUsd: usd(0.03), leftNanoUsd: usd(0.03) }],
    lane: 'live',
    messages: [/^the budget of \$0\.03 is less than the \$0\.04 this is expected to cost: the run will stop before the end \(exit 5\)$/],
  },
  {
    name: 'less than is expected of what is left, in batches',
    reaches: [{ ...REACH, committedNanoUsd: usd(0.02), leftNanoUsd: usd(0.03), requestsAtATime: 33 }],
    lane: 'batch',
    messages: [/^\$0\.03 is left of the budget of \$0\.05, less than the \$0\.04/, /lets about 33 of 100 requests out at a time/],
  },
  {
    name: 'between that and what is reserved',
    reaches: [REACH],
    lane: 'batch',
    messages: [
      /^the budget of \$0\.05 lets about 55 of 100 requests out at a time, .*: about 3 batches, one after another; \$0\.09 lets all out at once$/,
    ],
  },
  { name: 'between them, live', reaches: [REACH], lane: 'live', messages: [] },
  {
    name: 'what is reserved',
    reaches: [{ ...REACH, limitNanoUsd: usd(0.09), leftNanoUsd: usd(0.09), requestsAtATime: 100 }],
    lane: 'batch',
    messages: [],
  },
  {
    name: 'nothing is left',
    reaches: [
      { ...REACH, committedNanoUsd: usd(0.0495), leftNanoUsd: usd(0.0005), requestsAtATime: 0, batches: 0, enoughNanoUsd: usd(0.14) },
    ],
    lane: 'batch',
    messages: [/^the budget of \$0\.05 is used up: .* the run would send nothing \(exit 5\); \$0\.14 covers what is spent and the most/],
  },
  {
    name: 'the budget of all runs is tighter',
    reaches: [
      REACH,
      { ...REACH, name: 'budget.usd_total, $0.03,', isOfRun: false, limitNanoUsd: usd(0.03), leftNanoUsd: usd(0.03), requestsAtATime: 33 },
    ],
    lane: 'batch',
    messages: [/^budget\.usd_total, \$0\.03, lets about 33 of 100 requests/],
  },
] as const;

for (const { name, reaches, lane, messages } of CASES) {
  test(`a plan warns about budgets if necessary: ${name}`, () => {
    const warnings = warnOfReach(reaches, usd(0.04), lane);
    assert.equal(warnings.length, messages.length, warnings.join('\n'));
    for (const [index, message] of messages.entries()) assert.match(warnings[index] ?? '', message);
  });
}
