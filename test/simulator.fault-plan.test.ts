import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { readFaults } from '../src/cli/commands/simulate.ts';
import { readFaultPlan } from '../src/simulator/faults/fault-plan-reader.ts';
import { startSimulator } from '../src/simulator/start.ts';

const MALFORMED: readonly { plan: unknown; error: RegExp }[] = [
  { plan: { do: {} }, error: /^faults: expected an array/ },
  { plan: [7], error: /^faults\[0\]: expected an object with the words name, match, do, times$/ },
  { plan: [{}], error: /^faults\[0\]\.do: expected an object with one of status, error, / },
  { plan: [{ do: { explode: true } }], error: /^faults\[0\]\.do: no known word in it; use one of status, error, html/ },
  { plan: [{ do: { hang: true } }, { do: { drop: 'later' } }], error: /^faults\[1\]\.do\.drop: expected one of before, after$/ },
  {
    plan: [{ do: { status: 500, bodies: 'x' } }],
    error: /^faults\[0\]\.do\.bodies: unknown word here; allowed: status, body, headers, processed$/,
  },
  { plan: [{ do: { status: 'high' } }], error: /^faults\[0\]\.do\.status: expected a number from 200 to 599$/ },
  { plan: [{ do: { status: 500, headers: { 'retry-after': 3 } } }], error: /^faults\[0\]\.do\.headers\.retry-after: expected a text$/ },
  { plan: [{ match: { share: 2 }, do: { hang: true } }], error: /^faults\[0\]\.match\.share: expected a number from 0 to 1$/ },
  {
    plan: [{ match: { path: '/v1/batches' }, do: { line: 'lost' } }],
    error: /^faults\[0\]\.match\.path: unknown word here; allowed: custom_id, row, /,
  },
  { plan: [{ do: { line: 'bent' } }], error: /^faults\[0\]\.do\.line: expected one of missing, lost, / },
  { plan: [{ do: { answer: 'rude' } }], error: /^faults\[0\]\.do\.answer: expected one of refusal, length, / },
  { plan: [{ do: { error: 'nope' } }], error: /^faults\[0\]\.do\.error: expected one of insufficient_quota, / },
  { plan: [{ do: { outputFileId: 'gone' } }], error: /^faults\[0\]\.do\.outputFileId: expected one of null, empty, omitted, late$/ },
  { plan: [{ do: { dropMetadata: false } }], error: /^faults\[0\]\.do\.dropMetadata: expected true$/ },
  { plan: [{ do: { fail: 'x', lines: 'all' } }], error: /^faults\[0\]\.do\.lines: expected an array of line numbers$/ },
  { plan: [{ do: { hang: true }, times: 0 }], error: /^faults\[0\]\.times: expected a number of at least 1$/ },
];

for (const { plan, error } of MALFORMED) {
  test(`the malformed plan ${JSON.stringify(plan)} is refused with its place and the words allowed there`, async () => {
    assert.throws(() => readFaultPlan(plan), { message: error });
    await assert.rejects(startSimulator({ faults: plan }), { message: error });
  });
}

test('a fault is named by its name, or by its position and action', () => {
  const [named, unnamed] = readFaultPlan([{ name: 'lost create', do: { drop: 'after' }, times: 2 }, { do: { line: 'lost' } }]);
  assert.deepEqual([named?.name, named?.times, unnamed?.name, unnamed?.times], ['lost create', 2, '#1 line', Number.POSITIVE_INFINITY]);
});

test('a slip in the flag of the command is answered with what was probably meant', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'rowmill-faults-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'faults.json');
  for (const [plan, meant] of [
    [[{ do: { answer: 'lenght' } }], 'length'],
    [[{ do: { anwser: 'length' } }], 'answer'],
    [[{ match: { rwo: 1 }, do: { answer: 'length' } }], 'row'],
  ] as const) {
    writeFileSync(file, JSON.stringify(plan));
    assert.throws(() => readFaults(file), new RegExp(`^UsageError: --faults .*faults\\[0\\].*\\. Did you mean "${meant}"\\?$`));
  }
  assert.throws(() => readFaults(path.join(folder, 'fautls.json')), /fautls\.json: no such file\. Did you mean "faults\.json"\?$/);
});
