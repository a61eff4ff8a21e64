import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shiftClock, whyNoNamespaces } from './helpers/places.ts';
import { displaceAndWake, raceInTwoPlaces } from './helpers/takeover.ts';

/** A few here; `RACES=50 DISPLACEMENTS=20 npm run unit -- slow.takeover` is the whole proof, which takes half an hour. */
const RACES = Number(process.env.RACES ?? 4);
const DISPLACEMENTS = Number(process.env.DISPLACEMENTS ?? 2);

const skip = whyNoNamespaces() ?? false;
// Where libfaketime is not installed the clocks are equal.
const clocks = [{}, shiftClock('+1h') ?? {}, shiftClock('-1h') ?? {}];

test(`two runs in two pid namespaces of one host, ${RACES} times: never both`, { skip }, async (t) => {
  for (let round = 0; round < RACES; round++) {
    await t.test(`round ${round}`, (inner) => raceInTwoPlaces(inner, round % 2 === 0 ? 'live' : 'batch', clocks[round % clocks.length]));
  }
});

for (const lane of ['live', 'batch'] as const) {
  test(`a ${lane} run stopped, displaced and woken, ${DISPLACEMENTS} times: it sends nothing after the takeover`, { skip }, async (t) => {
    const stops = new Set<number>();
    // A batch run posts its file and then its batch; a live run twelve calls.
    const posts = lane === 'live' ? 11 : 2;
    for (let round = 0; round < DISPLACEMENTS; round++) {
      await t.test(`round ${round}`, async (inner) => void stops.add(await displaceAndWake(inner, lane, 1 + (round % posts))));
    }
    assert.ok(stops.size >= Math.min(posts, 2), 'it was stopped at different points');
  });
}
