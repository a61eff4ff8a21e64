import path from 'node:path';
import { asDiskError } from '../core/disk/disk-error.ts';
import { type DecideLine, decideOutcome } from '../core/response-line.ts';
import { makePrivateDirectory, makeTemporaryPath, replaceByCopy } from './disk/durable-files.ts';
import { watchForRest } from './disk/find-holder.ts';
import { waitSilently } from './disk/holder-watch.ts';
import { type Lock, takeLock } from './disk/lock.ts';
import { NoStateError } from './errors.ts';
import { readEventAt, readEvents } from './events/event-log.ts';
import type { Ledger, LedgerOptions } from './ledger.ts';
import { createLedgerState } from './ledger-state.ts';
import { foreseeLostCalls } from './lost-calls.ts';
import { createReading } from './reading.ts';
import { replay } from './replay.ts';
import { keepEarlierVerdicts } from './responses/earlier-verdicts.ts';
import { takeLiveLeftovers } from './responses/live-leftovers.ts';
import { openSettledIndex } from './responses/settled-index.ts';
import { openRowKeysFile } from './row-keys-file.ts';
import { openRunFiles } from './runs.ts';
import { settlePlace } from './settle-place.ts';
import { createWriting, refuseWriting } from './writing.ts';

/**
 * Opens a job's state directory: takes the lock, reads what was recorded, and judges what was not yet.
 * @throws LockHeldError (exit 6) if a live process holds it; NoStateError if there is nothing to read; UsageError if it belongs to
 * another origin; LedgerError if it is damaged; DiskError if it cannot be read or written
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  try {
    return await open(options);
  } catch (error) {
    throw asDiskError(error);
  }
}

async function open(options: LedgerOptions): Promise<Ledger> {
  if (options.access === 'read') return openWithLock(options, null);
  makePrivateDirectory(options.directory);
  const lock = await takeLock({ ...options, waiting: options.waiting ?? waitSilently(options.signal), identity: options.processIdentity });
  try {
    // Its last holder may only be asleep: what it writes from now on goes into files without a name.
    if (lock.isTakenOver)
      for (const name of ['events.jsonl', 'settled.jsonl']) replaceByCopy(path.join(options.directory, name), options.randomId());
    return await openWithLock(options, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

export async function openWithLock(options: LedgerOptions, lock: Lock | null): Promise<Ledger> {
  const { directory } = options;
  const eventsFile = path.join(directory, 'events.jsonl');
  const state = createLedgerState({
    visit: options.visit,
    readCustomIds(place) {
      const event = readEventAt(eventsFile, place);
      return event.type === 'shard-written' ? event.customIds : [];
    },
  });
  const decide: DecideLine = (line) => decideOutcome(line, options.checkAnswer, () => state.promptControls(line.custom_id));
  const settledFile = path.join(directory, 'settled.jsonl');
  const earlier = await keepEarlierVerdicts({
    ...options,
    checkFormats: async () => {
      await readEvents(eventsFile, () => {}, options.signal);
    },
    file: settledFile,
    asidePath: lock === null ? null : makeTemporaryPath(settledFile, options.randomId()),
  });
  const settled = openSettledIndex({ ...options, state });
  try {
    lock?.assertHeld();
    const isAtRest = watchForRest(directory, options.processIdentity);
    const end = await replay({ ...options, decide }, state, settled);
    settled.endReading();
    const noLongerOk = (await earlier?.findLost(state)) ?? new Set<number>();
    earlier?.forget();
    if (lock === null && end.seq === 0) throw new NoStateError(directory);
    const responses = path.join(directory, 'responses');
    // Another process may be about to record these: a reader counts what is complete. They belong to the last run.
    if (lock === null && options.asOfRun === undefined) {
      await takeLiveLeftovers({ ...options, decide, directory: responses, state, settled }, async () => undefined);
      if (isAtRest()) foreseeLostCalls(state);
    }
    const reading = createReading({ ...options, decide, state, settled });
    const place = lock === null ? null : await settlePlace({ ...options, stateId: state.fold.state });
    const writing =
      lock === null
        ? refuseWriting(directory, reading.close)
        : await createWriting({
            ...options,
            decide,
            eventsFile,
            end,
            lock,
            state,
            settled,
            readLineIds: reading.readLineIds,
            close: reading.close,
          });
    if (place?.isAdopted) await writing.append({ type: 'state-adopted', state: options.randomId() });
    place?.keep();
    return {
      directory,
      stateId: state.fold.state,
      origin: options.origin,
      keys: state.keys,
      fold: state.fold,
      files: state.files,
      anomalies: state.anomalies,
      altered: state.altered,
      decide,
      noLongerOk,
      runFiles: openRunFiles(directory, options.randomId, lock?.assertHeld),
      rowKeys: openRowKeysFile(directory, options.randomId, lock?.assertHeld),
      ...reading,
      ...writing,
    };
  } catch (error) {
    settled.close();
    throw error;
  }
}
