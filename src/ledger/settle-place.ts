import fs from 'node:fs';
import { UsageError } from '../core/errors.ts';
import { judgePlace, keepPlace, readKnownPlaces, readPlace } from './disk/place.ts';
import { readCreation } from './events/read-creation.ts';
import type { LedgerOptions } from './ledger.ts';
import { SIMULATOR_ORIGIN } from './origin.ts';

export interface SettlePlaceOptions
  extends Pick<LedgerOptions, 'directory' | 'origin' | 'job' | 'processIdentity' | 'randomId' | 'copies'> {
  /** The directory's current id; empty if nothing was written yet. */
  readonly stateId: string;
}

/** What follows from the location of a state directory. */
export interface SettledPlace {
  /** Whether it is a copy that becomes a separate state from now on. */
  readonly isAdopted: boolean;
  /** Records the place; to be called once the adoption is on disk. */
  keep(): void;
}

/**
 * Finds out whether this state directory is a copy of another one. Two states of one job send the same rows twice, so a copy is never used
 * before somebody has confirmed it; it then gets its own id. The simulator's state is copied with its provider and needs no question.
 * @throws UsageError if it is a copy, and nobody confirmed it
 */
export async function settlePlace(options: SettlePlaceOptions): Promise<SettledPlace> {
  const { directory, stateId, copies } = options;
  const here = readPlace(directory, options.processIdentity.host);
  const known = readKnownPlaces(directory);
  const keep = () => keepPlace(directory, here, known, options.randomId());
  const standing =
    options.origin === SIMULATOR_ORIGIN || stateId === '' ? { status: 'new' as const } : judgePlace(here, known, isSameState);
  if (standing.status === 'moved') {
    copies?.tell(
      `The state directory ${directory} was ${standing.from.path === here.path ? 'put in the place of another one' : `at ${standing.from.path} before`}: if a copy of it is still used elsewhere, rows are paid twice`,
    );
  }
  if (standing.status !== 'copied') return { isAdopted: false, keep };
  const { from, isSeen } = standing;
  const other = isSeen ? `${from.path}, which is still there` : `${from.path} on ${from.host}, which cannot be seen from here`;
  const question = `${directory} is a copy of the state directory ${other}. Both know what had been answered when it was copied; anything that both still send is paid for twice`;
  if ((await copies?.adopt(question)) !== true) {
    throw new UsageError(`${question}. To continue with the copy, add --adopt-copy once`, { code: 'copied_state' });
  }
  return { isAdopted: true, keep };

  function isSameState(place: string): boolean {
    try {
      // Copies share the id they were created with.
      const id = readCreation(directory)?.state;
      return id !== undefined && fs.realpathSync(place) !== here.path && readCreation(place)?.state === id;
    } catch {
      return false;
    }
  }
}
