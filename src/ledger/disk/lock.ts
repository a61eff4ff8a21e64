import fs from 'node:fs';
import path from 'node:path';
import { LockHeldError } from '../errors.ts';
import { isFileAt, isFileNamed, listNames, removeQuietly } from './durable-files.ts';
import { createHolderWatch, describeHolder, HEARTBEAT, type Heartbeat, type HolderWatch, type LockWaiting } from './holder-watch.ts';
import { type FoundHolder, formatHolder, type Holder, putNewFile, readHolder, replaceFile } from './lock-file.ts';
import type { ProcessIdentity } from './process-identity.ts';

const CLAIM_PREFIX = 'lock.after-';

/** The exclusive right to write, held until `release`. */
export interface Lock {
  /** Whether another process held it before and did not release it. Files that process has open must not be written to. */
  readonly isTakenOver: boolean;
  isHeld(): boolean;
  /** Checks that the lock is still this one. Files opened before that belong to this holder: a successor takes the lock first, and then replaces files. @throws LockHeldError if another process has taken it over */
  assertHeld(): void;
  release(): void;
}

export interface LockOptions {
  readonly directory: string;
  /** For the message to the user. */
  readonly job: string;
  readonly identity: ProcessIdentity;
  readonly clock: () => Date;
  readonly randomId: () => string;
  readonly heartbeat?: Heartbeat | undefined;
  readonly waiting: LockWaiting;
}

/**
 * Takes the lock of a state directory, also from a holder that is gone. One seen to be dead is replaced at once; one that cannot be seen
 * from here is watched first, for the longest time between heartbeats.
 * @throws LockHeldError if a live process holds it
 */
export async function takeLock(options: LockOptions): Promise<Lock> {
  const file = path.join(options.directory, 'lock');
  const own: Holder = { ...options.identity, heartbeatAt: options.clock().toISOString(), token: options.randomId(), beat: formatBeat(0) };
  const watch = createHolderWatch({ ...options, heartbeat: options.heartbeat ?? HEARTBEAT });
  for (;;) {
    const taken = tryToTake(file, own, { ...options, watch });
    if (taken !== null) return holdLock(file, own, taken, options);
    await watch.pause();
  }
}

interface Taken {
  readonly descriptor: number;
  readonly isTakenOver: boolean;
}

interface Watching extends LockOptions {
  readonly watch: HolderWatch;
}

/**
 * Takes the lock if it is free, or its holder gone. A process that wants to replace a holder first claims it by a file named after the holder's token,
 * which only one process can create; a claim whose maker died is replaced in the same way. A claim made too late is void: the lock no
 * longer shows the claimed holder.
 * @returns null if it has to be checked again
 */
function tryToTake(file: string, own: Holder, options: Watching): Taken | null {
  const first = readHolder(file);
  if (first === null) {
    const descriptor = putNewFile(file, own, options.randomId());
    return descriptor === null ? null : removeClaims({ descriptor, isTakenOver: false }, options);
  }
  const last = findLastClaimer(first, options.directory);
  if (!options.watch.isGone(last)) return null;
  const claim = locateClaim(last, options.directory);
  const claimed = putNewFile(claim, own, options.randomId());
  if (claimed === null) return null;
  fs.closeSync(claimed);
  if (readHolder(file)?.holder.token !== first.holder.token) {
    fs.rmSync(claim, { force: true });
    return null;
  }
  return removeClaims({ descriptor: replaceFile(file, own, options.randomId()), isTakenOver: true }, options);
}

/** The process that will hold the lock next, if those before it are gone: the holder, or the one that claimed to replace it. */
function findLastClaimer(first: FoundHolder, directory: string): FoundHolder {
  const seen = new Set<string>();
  for (let last = first; ; ) {
    seen.add(last.holder.token);
    const claimer = readHolder(locateClaim(last, directory));
    if (claimer === null || seen.has(claimer.holder.token)) return last;
    last = claimer;
  }
}

function locateClaim({ holder }: FoundHolder, directory: string): string {
  return path.join(directory, `${CLAIM_PREFIX}${holder.token}`);
}

/** Remaining claims were made for earlier holders, and are void. */
function removeClaims(taken: Taken, { directory }: LockOptions): Taken {
  try {
    for (const name of listNames(directory)) if (name.startsWith(CLAIM_PREFIX)) removeQuietly(path.join(directory, name));
  } catch {
    // They stay void.
  }
  return taken;
}

function holdLock(file: string, own: Holder, { descriptor, isTakenOver }: Taken, options: LockOptions): Lock {
  let beats = 0;
  let isOpen = true;
  const isHeld = () => isOpen && isStillOurs();

  function isStillOurs(): boolean {
    try {
      return isFileAt(file, descriptor) || readHolder(file)?.holder.token === own.token;
    } catch {
      // Nothing can be opened or read here any more: paid answers still have to be stored, so the name has to do.
      return isFileNamed(file, descriptor);
    }
  }

  // Overwritten in place: a holder that was stopped and replaced between two steps writes into a file that nobody reads any more.
  const heartbeat = setInterval(
    () => {
      beats += 1;
      const text = formatHolder({ ...own, heartbeatAt: options.clock().toISOString(), beat: formatBeat(beats) });
      try {
        fs.writeSync(descriptor, text, 0, text.length, 0);
        fs.fdatasync(descriptor, () => undefined);
      } catch {
        // A watcher will take over the lock, which the next effect notices.
      }
    },
    (options.heartbeat ?? HEARTBEAT).everyMs,
  );
  heartbeat.unref();

  return {
    isTakenOver,
    isHeld,
    assertHeld() {
      if (!isHeld()) throw makeDisplacedError(readHolder(file), options.job);
    },
    release() {
      clearInterval(heartbeat);
      if (isHeld()) removeQuietly(file);
      if (isOpen) fs.closeSync(descriptor);
      isOpen = false;
    },
  };
}

function makeDisplacedError(found: FoundHolder | null, job: string): LockHeldError {
  const who = found === null ? 'another process' : describeHolder(found);
  return new LockHeldError(
    `${who} has taken job ${job} over, because this process had not been heard of; nothing more is sent from here, and what it has paid for is not lost`,
    found?.holder ?? { pid: 0, host: 'unknown' },
  );
}

function formatBeat(beats: number): string {
  return String(beats).padStart(10, '0');
}
