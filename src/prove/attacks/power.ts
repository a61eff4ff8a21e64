import type { Attacked } from '../attack.ts';
import { losePower } from '../power-loss.ts';
import { CONCURRENCY } from '../table.ts';
import { crashOnce } from './kill.ts';

export const POWER: Attacked = {
  name: 'power',
  says: 'A power cut takes what was not synced and nothing else: the same command continues as after a kill',
  attackedBy:
    'a run that ends at its k-th step, and a disk that loses bytes and names which nobody had synced, or keeps zeros in their place',
  minimum: 6,
  attack: (context) =>
    crashOnce(context, {
      how: 'thread',
      from: 1,
      to: context.reference.undisturbed[context.lane].operations.length,
      secondPayments: context.lane === 'live' ? 2 * CONCURRENCY : 0,
      afterwards: (folder, unsynced) => losePower(folder, unsynced, context.dice),
    }),
};
