import { whyNoRedisServer } from '../../test/helpers/redis-server.ts';
import type { Bench } from '../harness/line.ts';
import { COLUMNS, FOUND_COLUMN, passJob, passLane, passTogether } from '../live-limits.ts';

export const bench: Bench = {
  order: 0.2,
  heading: 'Limits where reservations are charged',
  introduction:
    'The same account, at a provider that charges the prompt and the whole cap of a call on arrival and gives nothing back: a third of the limit is the most that can be used. It is found out by the headers of the answers, or by a few refusals.',
  // Each of them takes three times as long.
  rows: { full: 1_800, small: null },
  columns: [...COLUMNS, FOUND_COLUMN],
  measure({ rows }) {
    const missing = whyNoRedisServer();
    if (missing !== false) throw new Error(missing);
    return passTogether([
      () => passLane('one process', rows, 'reserved'),
      () => passJob('run and 2 workers', { rows, workers: 2, charging: 'reserved' }),
    ]);
  },
};
