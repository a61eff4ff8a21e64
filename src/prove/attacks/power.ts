import { type AttackContext, type Attacked, type AttackResult, takeTurn } from '../attack.ts';
import { losePower } from '../power-loss.ts';
import { CONCURRENCY } from '../table.ts';
import { crashOnce } from './kill.ts';

/** What the disk loses most, and where. */
const LOSSES = [
  { on: '', leaves: 'nothing', moments: ['before', 'during', 'after'] },
  // The log has bytes that were not synced.
  { on: 'sync events', leaves: 'hole', moments: ['before'] },
  // Requests have left whose intent has just been written.
  { on: 'send POST', leaves: 'least', moments: ['after'] },
  { on: 'sync events', leaves: 'zeros', moments: ['before'] },
] as const;

function cutPower(context: AttackContext): Promise<AttackResult> {
  const { dice, lane, reference } = context;
  const { on, leaves, moments } = takeTurn({ ...context, number: context.number >> 1 }, LOSSES);
  const { operations } = reference.undisturbed[lane];
  return crashOnce(context, {
    how: 'thread',
    on,
    from: 1,
    to: operations.filter((operation) => operation.startsWith(on)).length,
    moments,
    secondPayments: lane === 'live' ? 2 * CONCURRENCY : 0,
    afterwards: (folder, unsynced) => losePower(folder, unsynced, { dice, leaves }),
  });
}

export const POWER: Attacked = {
  name: 'power',
  says: 'A power cut loses only what was not synced: the same command continues as after a kill',
  attackedBy: 'a run that ends at its k-th step, and a disk that loses unsynced bytes and names, or keeps zeros in their place',
  minimum: 6,
  attack: cutPower,
};
