import { test } from 'node:test';
import { shiftClock, whyNoNamespaces } from './helpers/places.ts';
import { displaceAndWake, raceInTwoPlaces } from './helpers/takeover.ts';

const skip = whyNoNamespaces() ?? false;
const hourAhead = shiftClock('+1h');

test(
  'of two runs in two pid namespaces of one host, with clocks an hour apart, one works, and the other says who does',
  {
    skip: skip || (hourAhead === null && 'libfaketime is not installed'),
  },
  (t) => raceInTwoPlaces(t, 'batch', hourAhead ?? {}),
);

test('a run that is stopped, displaced and woken sends nothing more and ends with 6', { skip }, async (t) => {
  await displaceAndWake(t, 'live', 5);
});
