import path from 'node:path';
import type { Event, StoredEvent } from '../../core/event.ts';
import { waitSilently } from '../disk/holder-watch.ts';
import { takeLock } from '../disk/lock.ts';
import { openEventLog, readEvents } from '../events/event-log.ts';
import type { LedgerFold } from '../events/fold.ts';
import { createFold } from '../events/fold-events.ts';
import { isMisplaced } from '../events/shard-transitions.ts';
import type { LedgerOptions } from '../ledger.ts';

export type UpkeepOptions = Pick<LedgerOptions, 'directory' | 'job' | 'clock' | 'randomId' | 'processIdentity' | 'heartbeat' | 'signal'>;

/** A state directory under its lock, with only its events: neither job nor table is needed, and no answer is judged. */
export interface Upkeep {
  readonly fold: LedgerFold;
  /** As in `Ledger`. */
  append(event: Event): Promise<void>;
  assertHeld(): void;
  /** Waits for what was announced, then releases the lock. */
  close(): Promise<void>;
}

/**
 * Takes the lock and reads the log.
 * @param visit called with every event, in order
 * @throws LockHeldError while a run of the job is active; LedgerError if the log is damaged
 */
export async function openUpkeep(options: UpkeepOptions, visit: (event: StoredEvent) => void): Promise<Upkeep> {
  const { directory, signal } = options;
  const lock = await takeLock({ ...options, identity: options.processIdentity, waiting: waitSilently(signal) });
  try {
    const file = path.join(directory, 'events.jsonl');
    const { fold, apply } = createFold();
    const take = (event: StoredEvent) => {
      apply(event);
      visit(event);
    };
    const end = await readEvents(file, ({ event }) => take(event), signal);
    const log = openEventLog({
      file,
      end,
      clock: options.clock,
      assertWritable: lock.assertHeld,
      tell: () => undefined,
      onDurable: ({ event }) => take(event),
    });
    return {
      fold,
      append(event) {
        if (isMisplaced(event, fold)) throw new Error(`${event.type} is not allowed in the current state of its shard`);
        return log.append(event);
      },
      assertHeld: lock.assertHeld,
      async close() {
        await log.close().catch(() => undefined);
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}
