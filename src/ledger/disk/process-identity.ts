import fs from 'node:fs';
import { hostname } from 'node:os';

/** A process, told apart from a later one with the same pid by when it started, and from one of another place by where its pid counts. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Clock ticks since boot as Linux counts them; null where that cannot be read. */
  readonly startTime: string | null;
  /** The kernel it runs on, since its last start; absent where there is no such id (it is Linux's), and in what early versions wrote. */
  readonly bootId?: string;
  /** The namespace its pid counts in: two containers have a process 1 each. Absent likewise. */
  readonly pidNamespace?: string;
}

/** What can be known here of a process: `unseen` is one whose pid means nothing in this place. */
export type Sight = 'alive' | 'dead' | 'unseen';

/** This process. */
export function readOwnIdentity(): ProcessIdentity {
  const state = readProcessState(process.pid);
  const bootId = readText(() => fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'));
  const pidNamespace = readText(() => fs.readlinkSync('/proc/self/ns/pid'));
  return {
    pid: process.pid,
    host: hostname(),
    startTime: state.status === 'running' ? state.startTime : null,
    ...(bootId === null ? {} : { bootId }),
    ...(pidNamespace === null ? {} : { pidNamespace }),
  };
}

/**
 * Looks for a process from where `own` is. Its pid says something only under the same kernel since the same start, in the same pid namespace: a
 * host name does not prove that, because two containers, or a container and its host, may share one. Outside Linux, which has no such ids, the
 * host name has to do.
 */
export function seeProcess(identity: ProcessIdentity, own: ProcessIdentity): Sight {
  const isHere = identity.bootId === own.bootId && identity.pidNamespace === own.pidNamespace && isPlaceKnown(own, identity);
  if (!isHere) return 'unseen';
  const state = readProcessState(identity.pid);
  if (state.status === 'dead') return 'dead';
  return identity.startTime === null || state.startTime === null || identity.startTime === state.startTime ? 'alive' : 'dead';
}

function isPlaceKnown(own: ProcessIdentity, { host }: ProcessIdentity): boolean {
  if (own.bootId !== undefined && own.pidNamespace !== undefined) return true;
  return process.platform !== 'linux' && own.host === host;
}

type ProcessState = { readonly status: 'dead' } | { readonly status: 'running'; readonly startTime: string | null };

function readProcessState(pid: number): ProcessState {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, as another user's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return { status: 'dead' };
  }
  try {
    // A /proc of another pid namespace, as a container may be given its host's, would tell of another process.
    if (fs.readlinkSync('/proc/self') !== String(process.pid)) return { status: 'running', startTime: null };
    // The second field is the command's name in brackets, which may hold anything; state and start time are fields 3 and 22 (proc(5)).
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return { status: 'dead' };
    return { status: 'running', startTime: fields[19] ?? null };
  } catch {
    return { status: 'running', startTime: null };
  }
}

function readText(read: () => string): string | null {
  try {
    return read().trim();
  } catch {
    return null;
  }
}
