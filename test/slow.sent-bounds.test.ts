import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readStateCosts } from '../src/inspect/bill/read-state-costs.ts';
import { readStatus } from '../src/inspect/status.ts';
import { verifyState } from '../src/inspect/verify/verify.ts';
import { makeEventLine } from '../src/ledger/events/event-line.ts';
import { makeReadOptionsOf } from './helpers/read-options.ts';
import { makeWorld, type World } from './helpers/run-world.ts';

const lane = {
  live: { mode: 'live', fault: { match: { path: '/v1/chat/completions', nth: 3 }, do: { drop: 'after' } } },
  batch: { mode: 'batch', fault: { match: { batch: 1, row: 2 }, do: { line: 'lost' } } },
} as const;

/** What everybody who counts it says these calls may have cost. */
async function readBounds(world: World) {
  const options = makeReadOptionsOf(world);
  const { cost } = await readStatus(options);
  const { checks } = await verifyState(options);
  const detail = checks.find(({ name }) => name === 'possibly billed')?.detail ?? '';
  const { days } = await readStateCosts({ directory: world.stateDirectory, job: 'proof' }, { ...options, jobFolder: world.directory });
  return {
    status: cost.possiblyBilledNanoUsd,
    bill: days.reduce((sum, { possiblyBilledNanoUsd }) => sum + possiblyBilledNanoUsd, 0),
    detail,
  };
}

function changeJob(world: World, from: RegExp | string, to: string): void {
  world.write('job.yaml', world.read('job.yaml').replace(from, to));
}

/** The events as a version wrote them that kept no terms. */
function forgetTerms(world: World): void {
  const file = join(world.stateDirectory, 'events.jsonl');
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const forgotten = lines.map((line) => {
    const { terms: _, crc: __, ...event } = JSON.parse(line);
    return makeEventLine(event);
  });
  writeFileSync(file, forgotten.join(''));
}

for (const { mode, fault } of Object.values(lane)) {
  test(`what lost calls may have cost is bounded by what was sent, whatever the job says later (${mode})`, async (t) => {
    const faults = mode === 'live' ? [fault] : [fault, { match: { batch: 1 }, do: { noUsage: true } }];
    const world = await makeWorld(t, { faults });
    changeJob(world, 'mode: batch', `mode: ${mode}`);
    const { summary } = await world.run();
    world.assertFaultsFired();
    const bound = summary.cost.possiblyBilledNanoUsd;
    assert.ok(bound > 0);
    for (const cap of [100, 22, 5000]) {
      changeJob(world, /max_output_tokens: \d+/, `max_output_tokens: ${cap}`);
      const { status, bill, detail } = await readBounds(world);
      assert.deepEqual([status, bill], [bound, bound], `with a cap of ${cap}`);
      assert.doesNotMatch(detail, /earlier version/);
    }
    forgetTerms(world);
    const before = await readBounds(world);
    assert.ok(before.status > bound, 'where nothing was kept, the job as it is now has to do');
    assert.match(before.detail, /an earlier version announced 1 call of these without recording limits/);
  });
}
