import fs from 'node:fs';
import path from 'node:path';
import { LockHeldError } from '../errors.ts';
import { listNames, makeTemporaryPath, writeFileAtomically } from './durable-files.ts';
import { isSameProcessAlive, type ProcessIdentity } from './process-identity.ts';

const HEARTBEAT_MS = 30_000;
/** A holder on another host, of which only the heartbeat can be seen, is taken for dead after this long. */
const HEARTBEAT_LOST_MS = 5 * 60_000;
/** After a gap this long (a suspended machine) the lock is read again before the next effect. */
const RECHECK_MS = 60_000;

const CLAIM_PREFIX = 'lock.after-';

/** What the file `lock` says. */
interface Holder extends ProcessIdentity {
  readonly heartbeatAt: string;
  /** Names this very taking of the lock. */
  readonly token: string;
}

/** The right to write, held until `release`. */
export interface Lock {
  /** Reads the lock again when long enough ago. @throws LockHeldError when another process has taken it over */
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
}

/**
 * Takes the lock of a state directory, from a dead holder too.
 * @throws LockHeldError when a living process holds it
 */
export function takeLock(options: LockOptions): Lock {
  const file = path.join(options.directory, 'lock');
  const own: Holder = { ...options.identity, heartbeatAt: options.clock().toISOString(), token: options.randomId() };
  if (!putNewFile(file, own, options)) takeOver(file, own, options);
  // Whatever claims are left were made for holders before us, and are void.
  for (const name of listNames(options.directory)) {
    if (name.startsWith(CLAIM_PREFIX)) fs.rmSync(path.join(options.directory, name), { force: true });
  }
  return holdLock(file, own, options);
}

/**
 * Takes the lock from a holder that is gone. Whoever wants to succeed a holder first claims it by a file named after the holder's token,
 * which only one process can create; a claim whose maker died is succeeded in the same way. A claim made too late is void: the lock no
 * longer shows the holder that was claimed.
 */
function takeOver(file: string, own: Holder, options: LockOptions): void {
  const first = readHolder(file);
  if (first === null) {
    // Released between our two looks.
    if (putNewFile(file, own, options)) return;
    throw makeHeldError(readHolder(file), options);
  }
  let claim = '';
  for (let holder: Holder = first; ; ) {
    if (isAlive(holder, options)) throw makeHeldError(holder, options);
    claim = path.join(options.directory, `${CLAIM_PREFIX}${holder.token}`);
    if (putNewFile(claim, own, options)) break;
    const claimer = readHolder(claim);
    if (claimer === null) throw makeHeldError(readHolder(file), options);
    holder = claimer;
  }
  if (readHolder(file)?.token !== first.token) {
    fs.rmSync(claim, { force: true });
    throw makeHeldError(readHolder(file), options);
  }
  writeFileAtomically(file, formatHolder(own), options.randomId());
}

function holdLock(file: string, own: Holder, options: LockOptions): Lock {
  let checkedAtMs = options.clock().getTime();

  function assertOwn(): void {
    const holder = readHolder(file);
    if (holder?.token !== own.token) throw makeHeldError(holder, options);
    checkedAtMs = options.clock().getTime();
  }

  const heartbeat = setInterval(() => {
    try {
      assertOwn();
      writeFileAtomically(file, formatHolder({ ...own, heartbeatAt: options.clock().toISOString() }), options.randomId());
    } catch {
      // The next effect reads the lock for itself, and tells.
      checkedAtMs = Number.NEGATIVE_INFINITY;
    }
  }, HEARTBEAT_MS);
  heartbeat.unref();

  return {
    assertHeld() {
      if (Math.abs(options.clock().getTime() - checkedAtMs) > RECHECK_MS) assertOwn();
    },
    release() {
      clearInterval(heartbeat);
      if (readHolder(file)?.token === own.token) fs.rmSync(file, { force: true });
    },
  };
}

function isAlive(holder: Holder, options: LockOptions): boolean {
  if (holder.host === options.identity.host) return isSameProcessAlive(holder);
  return options.clock().getTime() - Date.parse(holder.heartbeatAt) <= HEARTBEAT_LOST_MS;
}

/** Creates a file with its content in one step, so that nobody reads it half written. @returns false when it exists */
function putNewFile(file: string, holder: Holder, options: LockOptions): boolean {
  const temporaryPath = makeTemporaryPath(file, options.randomId());
  fs.writeFileSync(temporaryPath, formatHolder(holder), { mode: 0o600, flag: 'wx' });
  try {
    fs.linkSync(temporaryPath, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    return putNewFileWithoutLink(file, holder);
  } finally {
    fs.rmSync(temporaryPath, { force: true });
  }
}

/** For file systems without hard links (exFAT, some network shares): the name and the content come in two steps. */
function putNewFileWithoutLink(file: string, holder: Holder): boolean {
  try {
    fs.writeFileSync(file, formatHolder(holder), { mode: 0o600, flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function formatHolder(holder: Holder): string {
  return `${JSON.stringify(holder)}\n`;
}

const TOKEN = /^[A-Za-z0-9_-]{1,64}$/;

/** Who holds the lock or made the claim; null when there is no such file. A damaged file belongs to a process that is long dead. */
function readHolder(file: string): Holder | null {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    const holder = JSON.parse(text) as Holder;
    if (Number.isSafeInteger(holder.pid) && holder.pid > 0 && TOKEN.test(holder.token) && typeof holder.host === 'string') return holder;
  } catch {}
  return { pid: 0, host: '', startTime: null, heartbeatAt: new Date(0).toISOString(), token: 'damaged' };
}

function makeHeldError(holder: Holder | null, options: LockOptions): LockHeldError {
  const { pid, host } = holder ?? { pid: 0, host: 'unknown' };
  const who = holder === null ? 'another process' : `process ${pid} on ${host}`;
  return new LockHeldError(`job ${options.job} is being run by ${who} (lock in ${options.directory}); wait for it, or end it`, {
    pid,
    host,
  });
}
